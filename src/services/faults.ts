import type { AdapterError, AdapterErrorKind } from '../../adapters/adapter.js';
import { Fault, type FaultCode, isFault } from '../domain/errors.js';

/** Longer texts (a whole build log) end here: the tail is what tells. */
const LONGEST_TEXT = 4000;
const RETRY_AFTER = 30;

/**
 * What a platform's refusal is to the client. `failed` is the application's own fault (it did not build, it crashed): the request was
 * well formed and the gateway works, but what is stored cannot be brought into the wanted state, so it is a Conflict with the platform's
 * words. `not-found` is one too: the client's instance exists, its counterpart on the platform has vanished.
 */
const CODES: Record<AdapterErrorKind, FaultCode> = {
  unavailable: 'ServiceUnavailable',
  timeout: 'PlatformTimeout',
  unauthorized: 'ServiceUnavailable',
  rejected: 'InvalidValue',
  quota: 'Conflict',
  conflict: 'Conflict',
  'not-found': 'Conflict',
  'not-supported': 'NotSupported',
  failed: 'Conflict',
  cancelled: 'Conflict',
};

/** By its name, not its class: services know of adapters only the types. */
export function isAdapterError(error: unknown): error is AdapterError {
  return error instanceof Error && error.name === 'AdapterError' && 'kind' in error;
}

/** The one place where an error becomes what the client reads. What is neither a Fault nor an AdapterError is a bug, and says nothing. */
export function toFault(error: unknown, platform?: string): Fault {
  if (isFault(error)) return error;
  if (!isAdapterError(error)) {
    return new Fault('Internal Failure', 'The gateway failed unexpectedly; its log has the reason.', { cause: error });
  }
  const code = CODES[error.kind];
  const retryAfter = code === 'ServiceUnavailable' ? (error.retryAfter ?? RETRY_AFTER) : error.retryAfter;
  return new Fault(code, textOf(error, platform ?? 'the platform'), {
    cause: error,
    ...(retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter) }),
  });
}

function textOf(error: AdapterError, platform: string): string {
  switch (error.kind) {
    case 'unauthorized':
      return `The platform ${platform} refuses the gateway's own credentials; its operator has to mend them.`;
    case 'not-found':
      return `The platform ${platform} no longer has it: ${shorten(error.message)} Deploy it again, or undeploy it.`;
    case 'unavailable':
      return `The platform ${platform} does not answer now: ${shorten(error.message)}`;
    default:
      return shorten(error.message);
  }
}

function shorten(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `… ${text.slice(-LONGEST_TEXT)}`;
}
