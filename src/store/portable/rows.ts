import { createHash } from 'node:crypto';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Table } from './tables.js';

/** What both databases hold in a column of ours; as JSON it is the same from both. */
export type Value = string | number | null;
/** The values of a row in the order of the table's columns. */
export type Row = readonly Value[];

/** How many rows a table has, and a digest of them that no order changes: equal tables have equal ones on any database. */
export interface Tally {
  rows: number;
  /** 64 hexadecimal digits: the sum of the rows' SHA-256, modulo 2^256. */
  digest: string;
}

const ROWS_AT_A_TIME = 500;
/** PostgreSQL takes 65,535 parameters in a statement, SQLite 32,766. */
const PARAMETERS = 3_000;

/** A database of which nothing is known to the compiler. */
export type AnyDatabase = Kysely<Record<string, Record<string, Value>>>;

export function createTally(): { add(row: Row): void; result(): Tally } {
  let rows = 0;
  let sum = 0n;
  return {
    add(row) {
      rows += 1;
      sum += BigInt(`0x${createHash('sha256').update(JSON.stringify(row)).digest('hex')}`);
    },
    result: () => ({ rows, digest: BigInt.asUintN(256, sum).toString(16).padStart(64, '0') }),
  };
}

/** All rows of a table, by its key, a few at a time. */
export async function* readRows(db: AnyDatabase, { name, columns, key }: Table): AsyncGenerator<Row[]> {
  const by = sql.join(key.map((column) => sql.ref(column)));
  let after: RawBuilder<unknown> = sql``;
  for (;;) {
    const query = sql<Record<string, Value>>`
      select ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(name)} ${after}
      order by ${by} limit ${ROWS_AT_A_TIME}`;
    const { rows } = await query.execute(db);
    if (rows.length > 0) yield rows.map((row) => columns.map((column) => row[column] ?? null));
    if (rows.length < ROWS_AT_A_TIME) return;
    const last = rows.at(-1) ?? {};
    after = sql`where (${by}) > (${sql.join(key.map((column) => last[column]))})`;
  }
}

export async function insertRows(db: AnyDatabase, { name, columns }: Table, rows: readonly Row[]): Promise<void> {
  const most = Math.max(1, Math.floor(PARAMETERS / columns.length));
  for (let at = 0; at < rows.length; at += most) {
    const values = rows.slice(at, at + most).map((row) => sql`(${sql.join(row)})`);
    await sql`
      insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.ref(column)))})
      values ${sql.join(values)}`.execute(db);
  }
}

export async function tallyOf(db: AnyDatabase, table: Table): Promise<Tally> {
  const tally = createTally();
  for await (const rows of readRows(db, table)) for (const row of rows) tally.add(row);
  return tally.result();
}

export function sameTally(one: Tally, other: Tally): boolean {
  return one.rows === other.rows && one.digest === other.digest;
}
