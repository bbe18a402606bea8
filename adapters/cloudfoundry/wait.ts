import { AdapterError } from '../adapter.js';
import { pauseFor } from '../upstream.js';

export interface Waiting {
  /** What for, as the end of a sentence: `staging to end`. */
  what: string;
  /** Milliseconds. */
  limit: number;
  /** Milliseconds between two looks, growing up to five times this. */
  interval: number;
  signal: AbortSignal;
}

/** Looks until there is a result. Throws `timeout` at the limit, saying what it waited for. */
export async function waitFor<T>(waiting: Waiting, look: () => Promise<T | undefined>): Promise<T> {
  const { what, limit, interval, signal } = waiting;
  const end = Date.now() + limit;
  for (let pause = interval; ; pause = Math.min(pause * 1.25, interval * 5)) {
    const result = await look();
    if (result !== undefined) return result;
    const left = end - Date.now();
    if (left <= 0) throw new AdapterError('timeout', `Waited ${Math.round(limit / 1000)} s for ${what}, in vain.`);
    await pauseFor(Math.min(pause, left), signal);
  }
}
