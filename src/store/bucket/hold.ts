import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bucket } from './bucket.js';

/**
 * Keeps sweep and users of an artefact apart, on a store that knows neither locks nor renames, and whose only promise is that who reads
 * after a write sees it. A user first writes `held`, then looks for `doomed`; a sweep first writes `doomed`, then looks for `held`.
 * Whatever the order, one of both sees the other: the sweep gives way, or the user waits for its end and looks what is left.
 * Every mark has a key of its own, so that removing an old one never removes a new one.
 */
export const OBJECTS = 'artefacts/';
export const HELD = 'held/';
const DOOMED = 'doomed/';

/** Milliseconds after which a sweep no longer dares to delete; twice as long later a user takes it for dead. */
const DARING = 30_000;
const PAUSE = 100;

/** Writes that somebody needs the artefact, and waits for a sweep that wants it. What is there afterwards stays for the grace period. */
export async function hold(bucket: Bucket, sha256: string): Promise<void> {
  await bucket.put(`${HELD}${sha256}/${randomUUID()}`, Buffer.alloc(0));
  const limit = Date.now() + 2 * DARING;
  for (;;) {
    const dooms = await keys(bucket, `${DOOMED}${sha256}/`);
    if (dooms.length === 0) return;
    if (Date.now() > limit) {
      for (const key of dooms) await bucket.remove(key);
      return;
    }
    await wait(PAUSE);
  }
}

/** Removes an artefact, unless somebody has held it since `before` (milliseconds). */
export async function removeUnheld(bucket: Bucket, sha256: string, before: number): Promise<boolean> {
  const mark = `${DOOMED}${sha256}/${randomUUID()}`;
  const limit = Date.now() + DARING;
  await bucket.put(mark, Buffer.alloc(0));
  try {
    for await (const { modifiedAt } of bucket.list(`${HELD}${sha256}/`)) if (modifiedAt >= before) return false;
    const left = limit - Date.now();
    if (left <= 0) return false;
    await bucket.remove(OBJECTS + sha256, AbortSignal.timeout(left));
    return true;
  } finally {
    await bucket.remove(mark);
  }
}

/** Marks that say nothing any more. */
export async function removeOldMarks(bucket: Bucket, before: number): Promise<void> {
  const deadline = Math.min(before, Date.now() - 10 * DARING);
  for (const [prefix, old] of [
    [HELD, before],
    [DOOMED, deadline],
  ] as const) {
    for await (const { key, modifiedAt } of bucket.list(prefix)) if (modifiedAt < old) await bucket.remove(key);
  }
}

async function keys(bucket: Bucket, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of bucket.list(prefix)) found.push(key);
  return found;
}
