import { CamelCasePlugin, Kysely } from 'kysely';
import { databaseOf } from './database-of.js';
import { migrate } from './migrate.js';
import { runIn, runOn } from './run.js';
import type { Schema } from './schema.js';
import { sessionOver } from './session.js';
import type { Store } from './store.js';

export interface StoreOptions {
  /** `sqlite:<file>`, or `postgres://user:password@host:port/database`. */
  url: string;
  log?: { warn(fields: object, message: string): void };
}

/** Opens the store, creating or migrating its tables. Rejects with a text for the operator, without the URL's password. */
export async function openStore({ url, log }: StoreOptions): Promise<Store> {
  const database = databaseOf(url, (error) =>
    log?.warn({ error: error.message }, 'A connection to the database was lost'),
  );
  const db = new Kysely<Schema>({ dialect: database.kysely, plugins: [new CamelCasePlugin()] });
  try {
    await migrate(db, database);
    const run = runOn(db, database);
    return {
      ...sessionOver(run),
      installation: await installationId(db),
      transaction: (work) => run.write((trx) => work(sessionOver(runIn(trx, database)))),
      close: () => db.destroy(),
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function installationId(db: Kysely<Schema>): Promise<string> {
  const { value } = await db
    .selectFrom('settings')
    .select('value')
    .where('name', '=', 'installation')
    .executeTakeFirstOrThrow();
  return value;
}
