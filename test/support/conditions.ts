import { setTimeout as delay } from 'node:timers/promises';

/** Looks until the value is there; rejects with the last complaint after the seconds. */
export async function eventually<T>(look: () => Promise<T> | T, seconds = 30): Promise<T> {
  const limit = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await delay(50);
    }
  }
}
