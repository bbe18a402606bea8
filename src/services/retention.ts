import { setImmediate as pause } from 'node:timers/promises';
import type { Batch, Pruned, Store } from '../store/store.js';

/** Days that what has ended is kept; 0: for ever. */
export interface RetentionOptions {
  tasks: number;
  audit: number;
}

/** Deletes what is older. Tasks that have not ended, and what is deployed, are never touched. Returns how many of each. */
export type Retention = () => Promise<{ tasks: number; audit: number }>;

/** Rows of one transaction: few enough that nobody waits for it noticeably. */
const BATCH = 200;
const DAY = 24 * 3600 * 1000;

export function createRetention(store: Pick<Store, 'operations' | 'audit'>, days: RetentionOptions): Retention {
  return async () => ({
    tasks: await sweep(days.tasks, (before, batch) => store.operations.prune(before, batch)),
    audit: await sweep(days.audit, (before, batch) => store.audit.prune(before, batch)),
  });
}

async function sweep(days: number, prune: (before: string, batch: Batch) => Promise<Pruned>): Promise<number> {
  if (days === 0) return 0;
  const before = new Date(Date.now() - days * DAY).toISOString();
  let deleted = 0;
  for (let after: number | undefined = 0; after !== undefined; ) {
    const some = await prune(before, { after, size: BATCH });
    deleted += some.deleted;
    after = some.next;
    await pause();
  }
  return deleted;
}
