import { join } from 'node:path';
import type { Config } from '../config.js';
import { Fault } from '../domain/errors.js';
import { openPortable, type PortableStore } from '../store/portable/open.js';
import { assertOwner, directoryState, openDataDirectory } from './data-directory.js';

export interface Moved {
  rows: number;
  tables: number;
}

/** The database that a configuration means. */
export function databaseUrl({ database, data }: Pick<Config, 'database' | 'data'>): string {
  return database ?? `sqlite:${join(data, 'coaps.db')}`;
}

/**
 * Copies everything that the configured store holds into an empty one. No gateway may run on either: what it stored meanwhile would
 * stay behind. The source stays as it is.
 */
export async function moveStore(
  config: Pick<Config, 'database' | 'data'>,
  to: string,
  report: (text: string) => void,
): Promise<Moved> {
  if (config.database === undefined && directoryState(config.data) === 'none') {
    throw new Fault('NotFound', `No gateway has used ${config.data} yet: there is nothing to move. Look at data.`);
  }
  assertOwner(config.data);
  const data = openDataDirectory(config.data);
  const stores: PortableStore[] = [];
  try {
    const source = await openPortable(databaseUrl(config), { mustExist: true });
    stores.push(source);
    const target = await openPortable(to);
    stores.push(target);
    for (const store of stores) await withoutGateways(store);
    return await copy(source, target, report);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
    data.release();
  }
}

/** The lock of a data directory tells nothing of gateways with other ones on the same PostgreSQL. */
export async function withoutGateways(store: PortableStore): Promise<void> {
  const count = await store.gateways();
  if (count === 0) return;
  throw new Fault(
    'Conflict',
    `The database is in use: gateways hold ${count} ${count === 1 ? 'connection' : 'connections'} to it. End them first.`,
  );
}

async function copy(source: PortableStore, target: PortableStore, report: (text: string) => void): Promise<Moved> {
  return await source.snapshot(async ({ migrations, tables, rows }) => {
    let count = 0;
    await target.load({ migrations, replace: false }, async (put) => {
      for (const table of tables) {
        for await (const some of rows(table)) {
          await put(table.name, some);
          count += some.length;
          report(`${table.name}: ${count} rows so far`);
        }
      }
      report(`comparing ${count} rows`);
    });
    return { rows: count, tables: tables.length };
  });
}
