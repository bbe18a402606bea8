import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './dialect.js';
import { MIGRATIONS } from './migrations/index.js';
import type { Migration } from './migrations/migration.js';
import type { Schema } from './schema.js';

/**
 * Brings the database to this program's state, in one transaction: a crash in the middle leaves what was there before. Several
 * processes may do it at once. Throws when the database is newer than the program, which would otherwise misread it.
 */
export async function migrate(
  db: Kysely<Schema>,
  database: Database,
  steps: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  await db
    .transaction()
    .execute(async (trx) => {
      if (database.migrationLock) await database.migrationLock.execute(trx);
      await migrateIn(trx, steps);
    })
    .catch((error: unknown) => {
      throw database.translate(error);
    });
}

/** The steps that are not done yet, within a transaction that holds the migration lock. */
export async function migrateIn(trx: Transaction<Schema>, steps: readonly Migration[]): Promise<void> {
  await trx.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .execute();
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(trx);
  const done = new Set(rows.map((row) => row.name));
  knownSteps(done);
  for (const migration of steps.filter(({ name }) => !done.has(name))) {
    await migration.up(trx as Transaction<unknown>);
    await sql`insert into migrations (name, at) values (${migration.name}, ${new Date().toISOString()})`.execute(trx);
  }
}

/** The steps of these names, in their order. Throws when there are others: a newer program made them. */
export function knownSteps(done: ReadonlySet<string>): Migration[] {
  const known = new Set(MIGRATIONS.map((migration) => migration.name));
  const strange = [...done].filter((name) => !known.has(name));
  if (strange.length > 0) {
    throw new Error(
      `The database was made by a newer version of this program (${strange.join(', ')}). Install that version, or use another database.`,
    );
  }
  return MIGRATIONS.filter(({ name }) => done.has(name));
}
