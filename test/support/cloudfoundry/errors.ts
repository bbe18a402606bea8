/** A refusal in the Cloud Controller's form. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail);
  }
}

export const unprocessable = (detail: string) => new Refusal(422, 10008, 'CF-UnprocessableEntity', detail);
export const notFound = (what: string) => new Refusal(404, 10010, 'CF-ResourceNotFound', `${what} not found`);
export const unknownRequest = () => new Refusal(404, 10000, 'CF-NotFound', 'Unknown request');
export const badQuery = (detail: string) =>
  new Refusal(400, 10005, 'CF-BadQueryParameter', `The query parameter is invalid: ${detail}`);
export const forbidden = () =>
  new Refusal(403, 10003, 'CF-NotAuthorized', 'You are not authorized to perform the requested action');
export const invalidToken = () => new Refusal(401, 1000, 'CF-InvalidAuthToken', 'Invalid Auth Token');
export const noToken = () => new Refusal(401, 10002, 'CF-NotAuthenticated', 'Authentication error');
export const disabled = (text: string) => new Refusal(403, 330002, 'CF-FeatureDisabled', `Feature Disabled: ${text}`);
export const suspended = () => new Refusal(403, 10017, 'CF-OrgSuspended', 'The organization is suspended');
export const runnerUnavailable = (process: string) =>
  new Refusal(
    503,
    170015,
    'CF-RunnerUnavailable',
    `Runner is unavailable: Process Guid: ${process}: failed with status: 503, body: down`,
  );

export function errorBody({ code, title, detail }: Pick<Refusal, 'code' | 'title' | 'detail'>) {
  return { errors: [{ detail, title, code }] };
}
