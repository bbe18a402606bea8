import { timestamp } from './columns.js';
import { next } from './counters.js';
import { chunks } from './keyset.js';
import type { Run } from './run.js';
import type { AuditStore } from './store.js';

export function auditStore(run: Run): AuditStore {
  return {
    add: ({ at = timestamp(), ...event }) =>
      run.write(async (db) => {
        const id = await next(db, 'auditEvent');
        await db
          .insertInto('auditEvents')
          .values({ id, at, ...event })
          .execute();
      }),
    /** Newest first; `paging.name` is ignored. */
    list: (paging) =>
      chunks(
        ({ after, offset, limit }) =>
          run.read((db) =>
            db
              .selectFrom('auditEvents')
              .selectAll()
              .$if(after !== undefined, (query) => query.where('id', '<', after ?? 0))
              .orderBy('id', 'desc')
              .limit(limit)
              .offset(offset)
              .execute(),
          ),
        (event) => event.id,
        paging,
      ),
  };
}
