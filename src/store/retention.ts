import type { Pruned } from './store.js';

/**
 * Numbers are given out in the order of time, so nothing behind a row that is too young needs a look. `last`: the row with the highest
 * number that was looked at, and when it came into being; `full`: there may be more behind it.
 */
export function pruned(
  deleted: number,
  last: { id: number; at: string } | undefined,
  before: string,
  full: boolean,
): Pruned {
  return last && full && last.at < before ? { deleted, next: last.id } : { deleted };
}
