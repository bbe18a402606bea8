import { statfs } from 'node:fs/promises';
import { Fault } from '../domain/errors.js';

const RETRY_AFTER = 60;

/** Throws Fault `ServiceUnavailable` when so many bytes more would leave less than the floor free on the folder's disk. */
export async function assertRoom({ folder, floor }: { folder: string; floor: number }, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize - bytes >= floor) return;
  const text =
    'The gateway has no room for the artefact: its disk is almost full. Its operator has to free some space.';
  throw new Fault('ServiceUnavailable', text, { retryAfter: RETRY_AFTER });
}
