import { AdapterError, type AdapterErrorKind } from '../adapter.js';

/** How the simulated platform refuses: as a real one does, by a status and a text. */
export class PlatformRefusal extends Error {
  override readonly name = 'PlatformRefusal';
  constructor(
    readonly status: 401 | 404 | 409 | 422 | 429 | 503,
    message: string,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

const KINDS: Record<PlatformRefusal['status'], AdapterErrorKind> = {
  401: 'unauthorized',
  404: 'not-found',
  409: 'conflict',
  422: 'rejected',
  429: 'unavailable',
  503: 'unavailable',
};

/** The platform's error in the contract's words. An abort passes as it is; anything unknown is a bug and passes too. */
export function translate(error: unknown): unknown {
  if (!(error instanceof PlatformRefusal)) return error;
  return new AdapterError(KINDS[error.status], error.message, {
    cause: error,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}
