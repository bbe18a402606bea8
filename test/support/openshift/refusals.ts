import type { Json } from './objects.js';

export interface Cause {
  reason?: string;
  message: string;
  field?: string;
}

/** An answer that refuses, with the Status that a real server sends. */
export class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly body: Json,
    readonly headers: Record<string, string> = {},
  ) {
    super(String(body['message']));
  }
}

export function status(
  code: number,
  reason: string | undefined,
  message: string,
  details?: Json,
  headers?: Record<string, string>,
): Refusal {
  return new Refusal(
    code,
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    },
    headers,
  );
}

export interface Named {
  group: string;
  plural: string;
  kind: string;
}

export function qualified({ group, plural }: Pick<Named, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

const details = (resource: Pick<Named, 'group'>, name: string | undefined, kind: string, more: Json = {}): Json => ({
  ...(name === undefined || name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind,
  ...more,
});

export const unauthorized = () => status(401, 'Unauthorized', 'Unauthorized');
export const badRequest = (message: string) => status(400, 'BadRequest', message);
export const notAllowed = () =>
  status(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export function notFound(resource: Named, name: string): Refusal {
  return status(
    404,
    'NotFound',
    `${qualified(resource)} "${name}" not found`,
    details(resource, name, resource.plural),
  );
}

export function exists(resource: Named, name: string): Refusal {
  return status(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    details(resource, name, resource.plural),
  );
}

export function modified(resource: Named, name: string): Refusal {
  const text = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`;
  return status(409, 'Conflict', text, details(resource, name, resource.plural));
}

export function forbidden(resource: Named, name: string | undefined, why: string, causes?: Cause[]): Refusal {
  const subject = name ? `${qualified(resource)} "${name}"` : qualified(resource);
  return status(
    403,
    'Forbidden',
    `${subject} is forbidden: ${why}`,
    details(resource, name, resource.plural, causes ? { causes } : {}),
  );
}

/** `Kind.group "name" is invalid: …`, with one cause or several. */
export function invalid(group: string, kind: string, name: string, causes: readonly Cause[]): Refusal {
  const texts = causes.map((one) => `${one.field}: ${one.message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const title = group === '' ? kind : `${kind}.${group}`;
  return status(422, 'Invalid', `${title} "${name}" is invalid: ${text}`, details({ group }, name, kind, { causes }));
}

export const wrong = (field: string, value: unknown, text: string, verbatim = false): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${typeof value === 'string' && !verbatim ? JSON.stringify(value) : value}: ${text}`,
  field,
});
export const required = (field: string, text = ''): Cause => ({
  reason: 'FieldValueRequired',
  message: text === '' ? 'Required value' : `Required value: ${text}`,
  field,
});
export const unsupported = (field: string, value: string, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${value}: supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}`,
  field,
});
