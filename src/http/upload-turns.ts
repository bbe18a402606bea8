import { Fault } from '../domain/errors.js';

const RETRY_AFTER = 5;

/** So many uploads of one user run at a time in this process. */
export interface UploadTurns {
  /** Throws Fault `TooManyRequests` before it calls `work`. */
  take<T>(user: string, work: () => Promise<T>): Promise<T>;
}

export function createUploadTurns(most: number): UploadTurns {
  const running = new Map<string, number>();
  return {
    async take(user, work) {
      const before = running.get(user) ?? 0;
      if (before >= most) {
        const text = `${before} uploads of yours are under way, the most at a time; try again when one has ended.`;
        throw new Fault('TooManyRequests', text, { retryAfter: RETRY_AFTER });
      }
      running.set(user, before + 1);
      try {
        return await work();
      } finally {
        const now = (running.get(user) ?? 1) - 1;
        if (now > 0) running.set(user, now);
        else running.delete(user);
      }
    },
  };
}
