import { AdapterError, type AdapterErrorKind } from '../adapter.js';
import { UpstreamError } from '../upstream.js';

/** What the Cloud Controller says of a refusal. */
export interface FoundryError {
  code: number;
  title: string;
  detail: string;
}

/** The errors in an answer's or a job's body; empty when it holds none. UAA's form counts as one. */
export function readErrors(body: unknown): FoundryError[] {
  const { errors, error, error_description: description } = (body ?? {}) as Record<string, unknown>;
  if (typeof error === 'string') {
    return [{ code: 0, title: error, detail: typeof description === 'string' ? description : error }];
  }
  if (!Array.isArray(errors)) return [];
  return errors.map((one: Partial<FoundryError> | null) => ({
    code: Number(one?.code ?? 0),
    title: String(one?.title ?? ''),
    detail: String(one?.detail ?? ''),
  }));
}

/** Codes of the Cloud Controller that are asked for. Seen on API 3.228. */
export const CODES = {
  uploadedAlready: 150004,
  stagingInProgress: 170017,
  runnerUnavailable: 170015,
  uniqueness: 10016,
  badQuery: 10005,
} as const;

export function hasCode(error: unknown, code: number): boolean {
  return error instanceof UpstreamError && readErrors(error.body).some((one) => one.code === code);
}

export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof UpstreamError && error.status === status;
}

/** A name or a route belongs to somebody already; which, the platform does not tell. */
export function isTaken(error: unknown): boolean {
  return (
    error instanceof UpstreamError &&
    readErrors(error.body).some((one) => kindOf(error.status ?? 0, one) === 'conflict')
  );
}

const TAKEN = /already exists|is taken|already bound|taken_different_space/i;
const QUOTA = /quota|limit exceeded|exceeds the (?:space|organization)|too much disk|instance memory/i;

function kindOf(status: number, { code, title, detail }: FoundryError): AdapterErrorKind {
  if (status === 401 || /invalid_client|unauthorized|invalid_grant|invalid_token/.test(title)) return 'unauthorized';
  if (status === 403) return code === 10003 || code === 0 ? 'unauthorized' : 'rejected';
  if (status === 404) return 'not-found';
  if (status === 429 || status >= 500) return 'unavailable';
  if (code === CODES.uniqueness || TAKEN.test(detail)) return 'conflict';
  if (QUOTA.test(detail) || /Quota|LimitExceeded/.test(title)) return 'quota';
  // A broker's trouble passes: the same request is accepted when the broker works again.
  if (/service broker|KeepAliveDisconnected|broker.*(?:timed out|unavailable)/i.test(detail)) return 'unavailable';
  return 'rejected';
}

/** Any error, as one of the contract's; `doing` says what failed, e.g. `The application could not be made`. */
export function translate(error: unknown, doing: string): unknown {
  if (!(error instanceof UpstreamError)) return error;
  if (error.trouble === 'timeout') return new AdapterError('timeout', `${doing}: ${error.message}`, { cause: error });
  if (error.trouble !== 'status')
    return new AdapterError('unavailable', `${doing}: ${error.message}`, { cause: error });
  const errors = readErrors(error.body);
  const first = errors[0] ?? { code: 0, title: '', detail: '' };
  const text = errors.length > 0 ? saying(errors) : error.message;
  return new AdapterError(kindOf(error.status ?? 0, first), `${doing}: ${text}`, {
    cause: error,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}

/** A job that ended FAILED. */
export function jobError(doing: string, errors: readonly FoundryError[]): AdapterError {
  const first = errors[0];
  if (!first) return new AdapterError('rejected', `${doing}: the platform gives no reason.`);
  return new AdapterError(kindOf(422, first), `${doing}: ${saying(errors)}`);
}

export function cancelled(reason: unknown): AdapterError {
  return new AdapterError('cancelled', 'The work on Cloud Foundry was cancelled.', { cause: reason });
}

function saying(errors: readonly FoundryError[]): string {
  return errors.map(({ detail, title, code }) => `${detail || title}${code ? ` (${title} ${code})` : ''}`).join('; ');
}
