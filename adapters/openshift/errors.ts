import { types } from 'node:util';
import { AdapterError, type AdapterErrorKind } from '../adapter.js';

/** The body of a refusal, as every group of the API sends it. */
export interface Status {
  kind: 'Status';
  status?: string;
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
  code?: number;
}

/** An answer that is no success. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: number;
  readonly reason: string;
  readonly details: NonNullable<Status['details']>;
  /** Seconds. */
  readonly retryAfter?: number;

  constructor(code: number, status: Partial<Status>, retryAfter?: number) {
    super(status.message ?? `HTTP status ${code}`);
    this.code = code;
    this.reason = status.reason ?? '';
    this.details = status.details ?? {};
    const seconds = retryAfter ?? status.details?.retryAfterSeconds;
    if (seconds !== undefined) this.retryAfter = seconds;
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly kind: 'refused' | 'cut' | 'slow' | 'untrusted';
  constructor(kind: Unreachable['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

const MALFORMED_APPLY = /^failed to (create typed patch object|convert new object)/;

/** Whether the same request may have another result soon. A malformed server-side apply answers 500 as well, and always will. */
export function isPassing(failure: unknown): boolean {
  if (failure instanceof Unreachable) return failure.kind !== 'untrusted';
  if (!(failure instanceof ApiFailure)) return false;
  if (failure.code === 409)
    return failure.reason === 'Conflict' && !isFieldConflict(failure) && failure.message.includes('has been modified');
  if (failure.code === 500) return !MALFORMED_APPLY.test(failure.message);
  return failure.code === 429 || failure.code > 500;
}

export function isFieldConflict(failure: unknown): boolean {
  return (
    failure instanceof ApiFailure && (failure.details.causes ?? []).some((one) => one.reason === 'FieldManagerConflict')
  );
}

export function isCode(failure: unknown, ...codes: number[]): failure is ApiFailure {
  return failure instanceof ApiFailure && codes.includes(failure.code);
}

/** Nothing can be made in a project that is going away. */
export function isTerminating(failure: unknown): boolean {
  return isCode(failure, 403) && (failure.details.causes ?? []).some((one) => one.reason === 'NamespaceTerminating');
}

export function isQuota(text: string): boolean {
  return /(exceeded|failed) quota|(maximum|minimum) \S+ usage per/.test(text);
}

/** From what went wrong to the kinds of the contract. `doing` names the work, e.g. `deploying instance 1`. */
export function toAdapterError(failure: unknown, doing: string): AdapterError {
  if (failure instanceof AdapterError) return failure;
  if (failure instanceof Unreachable) return fromUnreachable(failure, doing);
  if (failure instanceof ApiFailure) return fromAnswer(failure, doing);
  throw failure;
}

function fromUnreachable(failure: Unreachable, doing: string): AdapterError {
  const kind: AdapterErrorKind = failure.kind === 'slow' ? 'timeout' : 'unavailable';
  const advice = failure.kind === 'untrusted' ? ' Give its certificate authority (caFile or kubeconfig).' : '';
  return new AdapterError(kind, `OpenShift does not answer while ${doing}: ${failure.message}.${advice}`, {
    cause: failure,
  });
}

function fromAnswer(failure: ApiFailure, doing: string): AdapterError {
  const say = (kind: AdapterErrorKind, text: string): AdapterError =>
    new AdapterError(kind, text, {
      cause: failure,
      ...(failure.retryAfter === undefined ? {} : { retryAfter: failure.retryAfter }),
    });
  const words = `OpenShift says while ${doing}: ${failure.message}`;
  switch (failure.code) {
    case 401:
      return say(
        'unauthorized',
        `OpenShift does not accept the account's credentials any more (while ${doing}). Log in again and give a new token.`,
      );
    case 403:
      if (isQuota(failure.message)) return say('quota', words);
      if (isTerminating(failure)) return say('conflict', `${words}. Try again when it is gone.`);
      return say('unauthorized', `${words}. Give the account this right (docs/openshift.md has the role).`);
    case 404:
      return say('not-found', words);
    case 409:
      return say('conflict', words);
    case 400:
    case 405:
    case 406:
    case 410:
    case 413:
    case 415:
    case 422:
      return say('rejected', words);
    case 429:
      return say('unavailable', `OpenShift has too many requests (while ${doing}). Try again later.`);
    case 500:
      return say(MALFORMED_APPLY.test(failure.message) ? 'rejected' : 'unavailable', words);
    default:
      return say('unavailable', `OpenShift answers ${failure.code} while ${doing}: ${failure.message}`);
  }
}

/** The code of a system error, also when it comes from another realm. */
export function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

export function messageOf(error: unknown): string {
  return types.isNativeError(error) || error instanceof Error ? error.message : String(error);
}
