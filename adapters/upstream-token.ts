/** A bearer token, in memory only. */
export interface Token {
  value: string;
  /** Milliseconds since 1970; it is fetched anew some time before. */
  expiresAt: number;
}

export interface TokenSource {
  /** The token that serves now; many callers share one fetch. */
  get(signal: AbortSignal): Promise<string>;
  /** The platform refused this token: it is not given out again. */
  refuse(value: string): void;
}

/** A token is renewed when less than this part of its life is left, at most a minute before its end. */
const MARGIN = 0.1;

/**
 * One token for concurrent calls. `fetch` is never run twice at the same time, and no caller's abort ends it for the others; it must end
 * by itself.
 */
export function createTokenSource(fetch: () => Promise<Token>): TokenSource {
  let held: (Token & { renewAt: number }) | undefined;
  let fetching: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const token = await fetch();
    held = { ...token, renewAt: token.expiresAt - Math.min(60_000, (token.expiresAt - Date.now()) * MARGIN) };
    return token.value;
  }

  return {
    async get(signal) {
      signal.throwIfAborted();
      if (held && Date.now() < held.renewAt) return held.value;
      fetching ??= renew().finally(() => {
        fetching = undefined;
      });
      return await orAbort(fetching, signal);
    },
    refuse(value) {
      if (held?.value === value) held = undefined;
    },
  };
}

/** A shared promise, for one of its waiters: the waiter's abort ends the waiting, not the work. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
