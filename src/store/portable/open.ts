import { existsSync } from 'node:fs';
import { CamelCasePlugin, Kysely, sql, type Transaction } from 'kysely';
import { Fault } from '../../domain/errors.js';
import { databaseOf, sqliteFile } from '../database-of.js';
import { type DatabaseUser, GATEWAY } from '../database-user.js';
import { knownSteps } from '../migrate.js';
import type { Schema } from '../schema.js';
import { filledTables, migrationsIn } from './contents.js';
import { type Feed, load } from './load.js';
import { type AnyDatabase, type Row, readRows, type Value } from './rows.js';
import { type Table, tablesOf } from './tables.js';

/** Between two statements a disk may be slow, or a bucket far away. */
const TOOL: DatabaseUser = { program: 'coaps-tool', idleTransaction: 0 };

/** One state of a store, table by table, however much is written meanwhile. */
export interface Snapshot {
  /** Names of the migrations that made it. */
  migrations: string[];
  /** What refers to others comes after those. */
  tables: Table[];
  rows(table: Table): AsyncIterable<Row[]>;
  /** The distinct values of some columns of a table; none when this state has no such table. */
  values(table: string, columns: readonly string[]): Promise<Row[]>;
}

/** A store as tables and rows, for those who take it elsewhere. Opening changes nothing. */
export interface PortableStore {
  /** Runs `work` on one state. It may take its time: nobody waits for it. */
  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /**
   * Fills the store with what `feed` gives, in one transaction: all of it or nothing. Reads everything again, and throws when it is not
   * what came. Throws Fault Conflict when the store holds something already, unless `replace`.
   */
  load(options: LoadOptions, feed: Feed): Promise<void>;
  /** Whether something that a gateway stored is there. */
  isEmpty(): Promise<boolean>;
  /** How many connections of gateways there are, where the database knows. */
  gateways(): Promise<number>;
  close(): Promise<void>;
}

export interface LoadOptions {
  /** As in the snapshot that it comes from; what this program has beyond them is migrated. */
  migrations: readonly string[];
  replace: boolean;
}

/** `mustExist`: a SQLite file that is not there is a fault, and not a new store. */
export async function openPortable(url: string, { mustExist = false } = {}): Promise<PortableStore> {
  const file = sqliteFile(url);
  if (mustExist && file !== undefined && !existsSync(file)) {
    throw new Fault('NotFound', `There is no store: ${file} does not exist. Look at data and database.`);
  }
  const database = await databaseOf(url, () => undefined, TOOL);
  const plain: AnyDatabase = new Kysely({ dialect: database.kysely });
  const named = plain.withPlugin(new CamelCasePlugin()) as unknown as Kysely<Schema>;
  const translated = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw database.translate(error);
    });
  const reading = <T>(work: (trx: Transaction<Record<string, Record<string, Value>>>) => Promise<T>): Promise<T> =>
    translated(plain.transaction().setAccessMode('read only').setIsolationLevel('repeatable read').execute(work));

  return {
    snapshot: (work) =>
      reading(async (trx) => {
        const steps = knownSteps(await migrationsIn(trx));
        if (steps.length === 0) throw new Fault('NotFound', 'The database is no store: no gateway has used it yet.');
        const tables = await tablesOf(steps);
        return await work({
          migrations: steps.map(({ name }) => name),
          tables,
          rows: (table) => readRows(trx, table),
          values: (name, columns) => distinct(trx, tables, name, columns),
        });
      }),
    load: (options, feed) => translated(load(named, database, options, feed)),
    isEmpty: () => reading(async (trx) => (await filledTables(trx)).length === 0),
    gateways: () => translated(database.rowLocks ? countGateways(plain) : Promise.resolve(0)),
    async close() {
      // Kysely closes what it has used; a file that was opened for nothing would be closed with the garbage, under whoever moves it.
      if (file !== undefined) await plain.connection().execute(async () => {});
      await plain.destroy();
    },
  };
}

async function distinct(
  db: AnyDatabase,
  tables: readonly Table[],
  name: string,
  columns: readonly string[],
): Promise<Row[]> {
  if (!tables.some((table) => table.name === name)) return [];
  const { rows } = await sql<Record<string, Value>>`
    select distinct ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(name)}`.execute(db);
  return rows.map((row) => columns.map((column) => row[column] ?? null));
}

async function countGateways(db: AnyDatabase): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and starts_with(application_name, ${GATEWAY.program})`.execute(db);
  return rows[0]?.count ?? 0;
}
