import type { Listing } from '../domain/views.js';
import type { Paging } from '../store/store.js';

/** A list of the store as an answer: the rows stream, and a page knows whether another one follows. */
export async function listing<T>(read: (paging: Paging) => AsyncIterable<T>, paging: Paging = {}): Promise<Listing<T>> {
  const { page = 1, pageSize } = paging;
  const items = read(paging);
  if (pageSize === undefined) return { items };
  for await (const _ of read({ ...paging, pageSize: 1, page: page * pageSize + 1 })) {
    return { items, nextPage: page + 1 };
  }
  return { items };
}
