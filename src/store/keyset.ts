import type { Paging } from './store.js';

const CHUNK = 500;

/** One read of a listing: after the row with key `after`, passing over `offset` rows, at most `limit`. */
export interface Chunk {
  after: number | undefined;
  offset: number;
  limit: number;
}

/**
 * Streams a listing in short reads by key, so that neither a list nor a transaction is ever as long as the table. Rows that appear or
 * vanish meanwhile do not shift the others. `page` counts from 1.
 */
export async function* chunks<T>(
  read: (chunk: Chunk) => Promise<T[]>,
  keyOf: (row: T) => number,
  paging: Paging = {},
): AsyncGenerator<T> {
  const { pageSize, page = 1 } = paging;
  let left = pageSize ?? Number.POSITIVE_INFINITY;
  let offset = pageSize === undefined ? 0 : pageSize * (page - 1);
  let after: number | undefined;
  while (left > 0) {
    const limit = Math.min(CHUNK, left);
    const rows = await read({ after, offset, limit });
    // Not `yield*`, which waits once more for each row.
    for (const row of rows) yield row;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    after = keyOf(last);
    offset = 0;
    left -= rows.length;
  }
}
