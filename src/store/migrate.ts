import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './dialect.js';
import { MIGRATIONS } from './migrations/index.js';
import type { Schema } from './schema.js';

/**
 * Brings the database to this program's state, in one transaction: a crash in the middle leaves what was there before. Several
 * processes may do it at once. Throws when the database is newer than the program, which would otherwise misread it.
 */
export async function migrate(db: Kysely<Schema>, database: Database): Promise<void> {
  await db
    .transaction()
    .execute(async (trx) => {
      if (database.migrationLock) await database.migrationLock.execute(trx);
      await trx.schema
        .createTable('migrations')
        .ifNotExists()
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('at', 'text', (column) => column.notNull())
        .execute();
      const { rows } = await sql<{ name: string }>`select name from migrations`.execute(trx);
      const done = new Set(rows.map((row) => row.name));
      const known = new Set(MIGRATIONS.map((migration) => migration.name));
      const strange = [...done].filter((name) => !known.has(name));
      if (strange.length > 0) {
        throw new Error(
          `The database was made by a newer version of this program (${strange.join(', ')}). Install that version, or use another database.`,
        );
      }
      for (const migration of MIGRATIONS.filter(({ name }) => !done.has(name))) {
        await migration.up(trx as Transaction<unknown>);
        await sql`insert into migrations (name, at) values (${migration.name}, ${new Date().toISOString()})`.execute(
          trx,
        );
      }
    })
    .catch((error: unknown) => {
      throw database.translate(error);
    });
}
