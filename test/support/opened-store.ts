import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';

export interface OpenedStore {
  store: Store;
  /** A directory for the test's own files. */
  folder: string;
  /** Another gateway's store on the same database. */
  another(): Promise<Store>;
  close(): Promise<void>;
}

/** A new store on SQLite in a temporary directory. */
export async function openTemporaryStore(): Promise<OpenedStore> {
  const folder = mkdtempSync(join(tmpdir(), 'coaps-'));
  const url = `sqlite:${join(folder, 'coaps.db')}`;
  const opened: Store[] = [];
  const another = async () => {
    const store = await openStore({ url });
    opened.push(store);
    return store;
  };
  return {
    store: await another(),
    folder,
    another,
    close: async () => {
      await Promise.all(opened.map((store) => store.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
