import { CamelCasePlugin, type Dialect, Kysely } from 'kysely';
import type { Part } from '../domain/revisions.js';
import { databaseOf } from './database-of.js';
import type { Database, Others } from './dialect.js';
import { migrate } from './migrate.js';
import { createLedger, type Ledger } from './revisions.js';
import { type Run, runIn, runOn } from './run.js';
import type { Schema } from './schema.js';
import { sessionOver } from './session.js';
import type { Store, StoreSession } from './store.js';
import { noting, transacting } from './touches.js';

export interface StoreOptions {
  /** `sqlite:<file>`, or `postgres://user:password@host:port/database`. */
  url: string;
  log?: { warn(fields: object, message: string): void };
}

/** Opens the store, creating or migrating its tables. Rejects with a text for the operator, without the URL's password. */
export async function openStore({ url, log }: StoreOptions): Promise<Store> {
  const database = await databaseOf(url, (error) =>
    log?.warn({ error: error.message }, 'A connection to the database was lost'),
  );
  const over = (dialect: Dialect) => new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] });
  const db = over(database.kysely);
  let readers = db;
  const destroy = async () => {
    if (readers !== db) await readers.destroy();
    // The last one to close takes the log into the database.
    await db.destroy();
  };
  let others: Others | undefined;
  try {
    await migrate(db, database);
    if (database.readers) readers = over(database.readers());
    const ledger = createLedger();
    others = database.others((parts) => (parts ? ledger.touch(parts) : ledger.touchAll()));
    const { transaction, session } = told(runOn(db, readers, database), database, ledger, others);
    const { isInformed, close } = others;
    return {
      ...session,
      installation: await installationId(readers),
      transaction,
      revisions: ledger.revisions(isInformed),
      close: async () => {
        await close();
        await destroy();
      },
    };
  } catch (error) {
    await others?.close();
    await destroy();
    throw error;
  }
}

/** Transactions and single calls of which everybody is told who keeps what was read. */
function told(
  run: Run,
  database: Database,
  ledger: Ledger,
  others: Others,
): Pick<Store, 'transaction'> & { session: StoreSession } {
  const transaction: Store['transaction'] = async (work) => {
    const touched = new Set<Part>();
    const note = (parts: readonly Part[]) => {
      for (const part of parts) touched.add(part);
    };
    try {
      return await run.write(async (trx) => {
        const result = await work(noting(sessionOver(runIn(trx, database)), note));
        if (touched.size > 0) await others.announcement?.([...touched]).execute(trx);
        return result;
      });
    } finally {
      // Also after a failure: a connection that broke during the commit leaves open whether it took place.
      if (touched.size > 0) ledger.touch([...touched]);
    }
  };
  return { transaction, session: transacting(sessionOver(run), transaction) };
}

async function installationId(db: Kysely<Schema>): Promise<string> {
  const { value } = await db
    .selectFrom('settings')
    .select('value')
    .where('name', '=', 'installation')
    .executeTakeFirstOrThrow();
  return value;
}
