/** Resolves after `ms`, at once when the signal aborts. Never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Asks until the answer is true or the time is over, and returns the last answer. */
export async function until(isSo: () => Promise<boolean> | boolean, ms: number, step = 50): Promise<boolean> {
  const end = Date.now() + ms;
  while (!(await isSo())) {
    if (Date.now() >= end) return false;
    await pause(step);
  }
  return true;
}

/** Resolves with the promise, after `ms` at the latest. */
export async function atMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const limit = new AbortController();
  await Promise.race([promise, pause(ms, limit.signal)]);
  limit.abort();
}
