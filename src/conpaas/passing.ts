import { type Fault, isFault } from '../domain/errors.js';

/** Whether the same will work again later without anybody's doing: the store is away. */
export function isPassing(error: unknown): error is Fault & { retryAfter: number } {
  return isFault(error) && error.code === 'ServiceUnavailable' && error.retryAfter !== undefined;
}
