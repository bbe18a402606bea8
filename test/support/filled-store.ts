import BetterSqlite from 'better-sqlite3';
import pg from 'pg';
import { MIGRATIONS } from '../../src/store/migrations/index.js';
import { openStore } from '../../src/store/open.js';
import { tablesOf } from '../../src/store/portable/tables.js';

type Plain = Record<string, unknown>;

/**
 * A SQLite file with `count` rows in every table that there is, also in those of later migrations: a value depends on its type and the
 * row's number alone, so that whatever refers to a key finds it.
 */
export async function fillStore(file: string, count: number): Promise<void> {
  await (await openStore({ url: `sqlite:${file}` })).close();
  const tables = await tablesOf(MIGRATIONS);
  const connection = new BetterSqlite(file);
  connection.pragma('foreign_keys = ON');
  const fill = connection.transaction(() => {
    for (const { name } of tables) {
      const columns = connection.pragma(`table_info("${name}")`) as ColumnInfo[];
      const insert = connection.prepare(
        `insert into "${name}" (${columns.map((column) => `"${column.name}"`).join(', ')}) values (${columns.map(() => '?').join(', ')})`,
      );
      for (let row = 1; row <= count; row++) insert.run(columns.map((column) => cell(column, row)));
    }
  });
  fill();
  connection.close();
}

interface ColumnInfo {
  name: string;
  type: string;
  notnull: number;
  pk: number;
}

const WORDS = ['plain', `'; drop table users; --`, 'ä€𝄞\u0001\\', '\\N', '{"a": [1, "\\n"]}', 'tab\tline\nend\r', ' ‮ '];

function cell({ name, type, notnull, pk }: ColumnInfo, row: number): string | number | null {
  const refers = pk > 0 || /_id$|^[a-z]?id$/.test(name);
  if (notnull === 0 && !refers && row % 3 === 0) return null;
  if (type === 'text') return refers ? `key ${row} ä` : `${WORDS[row % WORDS.length]} ${row}`;
  if (type === 'bigint' && !refers) return row + 2 ** 40;
  if (type === 'double precision') return row / 7;
  return row;
}

/** Everything in a SQLite file or a PostgreSQL database, by table, read without any code of ours. */
export async function everythingIn(url: string): Promise<Record<string, unknown[]>> {
  const rows = url.startsWith('sqlite:') ? inSqlite(url.slice('sqlite:'.length)) : await inPostgres(url);
  const sorted = Object.entries(rows).map(([name, found]) => [name, found.map(canonical).sort()]);
  return Object.fromEntries(sorted.sort());
}

function canonical(row: Plain): string {
  return JSON.stringify(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function inSqlite(file: string): Record<string, Plain[]> {
  const connection = new BetterSqlite(file, { readonly: true });
  try {
    const tables = connection.prepare(`select name from sqlite_master where type = 'table'`).all() as {
      name: string;
    }[];
    return Object.fromEntries(
      tables.map(({ name }) => [name, connection.prepare(`select * from "${name}"`).all() as Plain[]]),
    );
  } finally {
    connection.close();
  }
}

async function inPostgres(url: string): Promise<Record<string, Plain[]>> {
  const client = new pg.Client({ connectionString: url });
  client.setTypeParser(pg.types.builtins.INT8, Number);
  await client.connect();
  try {
    const { rows } = await client.query(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    );
    const found: Record<string, Plain[]> = {};
    for (const { name } of rows as { name: string }[])
      found[name] = (await client.query(`select * from "${name}"`)).rows;
    return found;
  } finally {
    await client.end();
  }
}
