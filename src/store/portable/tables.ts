import { CamelCasePlugin, Kysely, sql } from 'kysely';
import { migrate } from '../migrate.js';
import type { Migration } from '../migrations/migration.js';
import type { Schema } from '../schema.js';
import { sqliteDatabase } from '../sqlite.js';

/** A table by the names of the database. */
export interface Table {
  name: string;
  columns: string[];
  /** The columns of its primary key. */
  key: string[];
}

/**
 * Every table that these migrations make, what refers to others after those. The migrations themselves are asked, in an empty database
 * in memory: a table of a later migration cannot be forgotten, and a database is never asked what it holds beside ours.
 */
export async function tablesOf(steps: readonly Migration[]): Promise<Table[]> {
  const database = sqliteDatabase(':memory:');
  const db = new Kysely<Schema>({ dialect: database.kysely, plugins: [new CamelCasePlugin()] });
  try {
    await migrate(db, database, steps);
    const { rows } = await sql<{ name: string }>`
      select name from sqlite_master where type = 'table' and name <> 'migrations' order by name`.execute(db);
    const tables = new Map<string, Table>();
    const needs = new Map<string, string[]>();
    for (const { name } of rows) {
      tables.set(name, await describe(db, name));
      const found = await sql<{ table: string }>`select "table" from pragma_foreign_key_list(${name})`.execute(db);
      needs.set(
        name,
        [...new Set(found.rows.map((row) => row.table))].filter((other) => other !== name),
      );
    }
    return inOrder(tables, needs);
  } finally {
    await db.destroy();
  }
}

async function describe(db: Kysely<Schema>, name: string): Promise<Table> {
  const { rows } = await sql<{ name: string; pk: number }>`select name, pk from pragma_table_info(${name})`.execute(db);
  const key = rows.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk);
  if (key.length === 0) throw new Error(`The table ${name} has no primary key`);
  return { name, columns: rows.map((row) => row.name), key: key.map((row) => row.name) };
}

function inOrder(tables: ReadonlyMap<string, Table>, needs: ReadonlyMap<string, string[]>): Table[] {
  const ordered: Table[] = [];
  const place = (name: string, waiting: readonly string[]): void => {
    if (waiting.includes(name)) throw new Error(`The tables ${[...waiting, name].join(', ')} refer to each other`);
    const table = tables.get(name);
    if (!table || ordered.includes(table)) return;
    for (const other of needs.get(name) ?? []) place(other, [...waiting, name]);
    ordered.push(table);
  };
  for (const name of tables.keys()) place(name, []);
  return ordered;
}
