import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConpaasStore } from '../domain/conpaas.js';
import { writePrivately } from './key-files.js';

/** Seconds that another gateway host waits until it may run the Director of this installation. */
export const LEASE = 30;
const LEASE_NAME = 'director';

/** Of this data directory, for ever. */
export async function hostId(folder: string): Promise<string> {
  const file = join(folder, 'host-id');
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept.trim() !== '') return kept.trim();
  const made = randomBytes(8).toString('hex');
  await writePrivately(file, `${made}\n`);
  return made;
}

/** One Director per installation: takes or renews the right to run it. Throws Error with a text for the operator. */
export async function holdLease(store: ConpaasStore, host: string): Promise<void> {
  if (await store.lease(LEASE_NAME, host, LEASE)) return;
  throw new Error(
    'Another gateway host runs the ConPaaS Director of this installation. Let this one use it (platforms: {CP: {adapter: conpaas, director: https://…}}), or stop the other one and try again after 30 seconds.',
  );
}

export async function giveUpLease(store: ConpaasStore, host: string): Promise<void> {
  await store.releaseLease(LEASE_NAME, host);
}
