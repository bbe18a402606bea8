import { setTimeout as pause } from 'node:timers/promises';
import { isAdapterError } from '../faults.js';

export interface RetryLimits {
  /** Repetitions after the first try. */
  repetitions: number;
  /** Milliseconds before the first repetition; doubled each time. */
  delay: number;
  /** Milliseconds that a wait never exceeds, whatever the platform asks for. */
  longest: number;
}

/** Waits a platform's passing trouble out: `unavailable` is tried again, everything else is thrown at once. */
export async function withRetries<T>(
  work: () => Promise<T>,
  { repetitions, delay, longest }: RetryLimits,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await work();
    } catch (error) {
      if (!isAdapterError(error) || error.kind !== 'unavailable' || round >= repetitions || signal.aborted) throw error;
      const wished = error.retryAfter === undefined ? delay * 2 ** round : error.retryAfter * 1000;
      tell(`The platform does not answer; repetition ${round + 1} of ${repetitions} follows.`);
      await rest(Math.min(wished, longest), signal);
    }
  }
}

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
}
