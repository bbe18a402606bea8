import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConpaasStore } from '../domain/conpaas.js';
import { nothingThere, writePrivately } from './key-files.js';

/** Seconds after which another gateway host may run the Director of this installation when nothing is heard of the one that did. */
export const LEASE = 30;
const LEASE_NAME = 'director';

/** Of this data directory, for ever. */
export async function hostId(folder: string): Promise<string> {
  const file = join(folder, 'host-id');
  const kept = await readFile(file, 'utf8').catch(nothingThere);
  if (kept.trim() !== '') return kept.trim();
  const made = randomBytes(8).toString('hex');
  await writePrivately(file, `${made}\n`);
  return made;
}

/** The right to run the Director of this installation, which one gateway host has at a time. */
export interface Leadership {
  readonly leads: boolean;
  /** Takes or renews it. Resolves to whether this host has it now. */
  seek(): Promise<boolean>;
  giveUp(): Promise<void>;
}

export function createLeadership(store: ConpaasStore, host: string): Leadership {
  let leads = false;

  /** Services belong to the host that made them: nobody else can do anything for them, and so the Director waits for that host. */
  async function isFree(): Promise<boolean> {
    const services = await store.services({});
    return services.length === 0 || services.some((service) => service.host === host);
  }

  return {
    get leads() {
      return leads;
    },
    async seek() {
      leads = (leads || (await isFree())) && (await store.lease(LEASE_NAME, host, LEASE));
      return leads;
    },
    async giveUp() {
      leads = false;
      await store.releaseLease(LEASE_NAME, host);
    },
  };
}

/** What a gateway host says that does not run the Director. */
export const ELSEWHERE =
  'Another gateway host runs the ConPaaS of this installation; its services are changed there alone.';
