import { type Kysely, sql, type Transaction } from 'kysely';
import { Fault } from '../../domain/errors.js';
import type { Database } from '../dialect.js';
import { knownSteps, migrateIn } from '../migrate.js';
import { MIGRATIONS } from '../migrations/index.js';
import type { Schema } from '../schema.js';
import { filledTables, migrationsIn } from './contents.js';
import type { LoadOptions } from './open.js';
import { type AnyDatabase, createTally, insertRows, type Row, sameTally, tallyOf } from './rows.js';
import { tablesOf } from './tables.js';

/** Hands over every row, table by table, in the order of the tables that it is given. */
export type Feed = (put: (table: string, rows: readonly Row[]) => Promise<void>) => Promise<void>;

/** See `PortableStore.load`. The tables are made anew, as old as those that the rows come from, and brought up to date at the end. */
export async function load(
  db: Kysely<Schema>,
  database: Database,
  { migrations, replace }: LoadOptions,
  feed: Feed,
): Promise<void> {
  const steps = knownSteps(new Set(migrations));
  const tables = await tablesOf(steps);
  await db.transaction().execute(async (trx) => {
    const plain = withoutNames(trx);
    if (database.migrationLock) await database.migrationLock.execute(trx);
    await clear(plain, replace);
    await migrateIn(trx, steps);
    await sql`delete from settings`.execute(plain);
    const given = new Map(tables.map((table) => [table.name, createTally()]));
    await feed(async (name, rows) => {
      const table = tables.find((one) => one.name === name);
      const tally = given.get(name);
      if (!table || !tally) throw new Error(`There is no table ${name}`);
      for (const row of rows) tally.add(row);
      await insertRows(plain, table, rows);
    });
    for (const table of tables) {
      const [came, stands] = [given.get(table.name)?.result(), await tallyOf(plain, table)];
      if (came && sameTally(came, stands)) continue;
      throw new Error(`The table ${table.name} does not hold what came: ${stands.rows} of ${came?.rows} rows`);
    }
    await migrateIn(trx, MIGRATIONS);
  });
}

async function clear(db: AnyDatabase, replace: boolean): Promise<void> {
  const filled = await filledTables(db);
  if (filled.length > 0 && !replace) {
    throw new Fault(
      'Conflict',
      `The database is not empty: it has rows in ${filled.slice(0, 3).join(', ')}${filled.length > 3 ? ', …' : ''}. Name an empty one.`,
    );
  }
  const there = await tablesOf(knownSteps(await migrationsIn(db)));
  for (const { name } of there.reverse()) await sql`drop table ${sql.table(name)}`.execute(db);
  await sql`drop table if exists migrations`.execute(db);
}

/** Rows travel by the names of the database. */
function withoutNames(trx: Transaction<Schema>): AnyDatabase {
  return trx.withoutPlugins() as unknown as AnyDatabase;
}
