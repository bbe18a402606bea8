import { sql } from 'kysely';
import { knownSteps } from '../migrate.js';
import type { AnyDatabase } from './rows.js';
import { tablesOf } from './tables.js';

/** Names of the migrations that this database has seen; none in one that is no store. */
export async function migrationsIn(db: AnyDatabase): Promise<Set<string>> {
  const tables = await db.introspection.getTables();
  if (!tables.some(({ name }) => name === 'migrations')) return new Set();
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db);
  return new Set(rows.map(({ name }) => name));
}

/** Tables that hold more than what a store is born with. Throws when a newer program made them. */
export async function filledTables(db: AnyDatabase): Promise<string[]> {
  const filled: string[] = [];
  for (const { name } of await tablesOf(knownSteps(await migrationsIn(db)))) {
    const born = name === 'settings' ? sql`where name <> 'installation'` : sql``;
    const { rows } = await sql`select 1 from ${sql.table(name)} ${born} limit 1`.execute(db);
    if (rows.length > 0) filled.push(name);
  }
  return filled;
}
