import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openStore } from '../../src/store/open.js';
import { storeContractSuite } from '../contract/store.js';

describe('the store on SQLite', () => {
  storeContractSuite((url) => openStore({ url }), {
    create: async () => `sqlite:${join(mkdtempSync(join(tmpdir(), 'coaps-store-')), 'coaps.db')}`,
    remove: async (url) => rmSync(dirname(url.slice('sqlite:'.length)), { recursive: true }),
  });
});
