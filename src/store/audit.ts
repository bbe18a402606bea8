import { timestamp } from './columns.js';
import { next } from './counters.js';
import { chunks } from './keyset.js';
import { pruned } from './retention.js';
import type { Run } from './run.js';
import type { AuditStore } from './store.js';

export function auditStore(run: Run): AuditStore {
  return {
    add: (...events) =>
      run.write(async (db) => {
        if (events.length === 0) return;
        const first = await next(db, 'auditEvent', events.length);
        const at = timestamp();
        const rows = events.map((event, index) => ({ id: first + index, at, ...event }));
        await db.insertInto('auditEvents').values(rows).execute();
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
    prune: (before, { after, size }) =>
      run.write(async (db) => {
        const rows = await db
          .selectFrom('auditEvents')
          .select(['id', 'at'])
          .where('id', '>', after)
          .orderBy('id')
          .limit(size)
          .execute();
        const old = rows.filter(({ at }) => at < before).map(({ id }) => id);
        if (old.length > 0) await db.deleteFrom('auditEvents').where('id', 'in', old).execute();
        const last = rows.at(-1);
        return pruned(old.length, last && { id: last.id, at: last.at }, before, rows.length === size);
      }),
  };
}
