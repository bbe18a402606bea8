import type { Store } from '../../src/store/store.js';
import { applicationListCases } from './store/application-lists.js';
import { applicationCases } from './store/applications.js';
import { auditCases } from './store/audit.js';
import { claimCases } from './store/claims.js';
import { concurrencyCases } from './store/concurrency.js';
import { environmentCases } from './store/environments.js';
import { lockRuleCases } from './store/lock-rule.js';
import { openingCases } from './store/opening.js';
import { operationCases } from './store/operations.js';
import { retentionCases } from './store/retention.js';
import { userCases } from './store/users.js';

/** One database, empty at the beginning of each case. */
export interface Bench {
  /** Opens the database once more; everything opened is closed after the case. */
  open(): Promise<Store>;
  /** The store that is open from the beginning. */
  readonly store: Store;
}

export interface StoreProvider {
  /** URL of a new, empty database. */
  create(): Promise<string>;
  remove(url: string): Promise<void>;
}

/** THE SUITE that the store passes on every database. */
export function storeContractSuite(open: (url: string) => Promise<Store>, provider: StoreProvider): void {
  let url: string;
  let opened: Store[];
  const reopen = async () => {
    const store = await open(url);
    opened.push(store);
    return store;
  };
  const bench: Bench = {
    open: reopen,
    get store() {
      const [first] = opened;
      if (!first) throw new Error('No store is open outside of a case');
      return first;
    },
  };

  beforeEach(async () => {
    opened = [];
    url = await provider.create();
    await reopen();
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await provider.remove(url);
  });

  openingCases(bench);
  applicationCases(bench);
  applicationListCases(bench);
  environmentCases(bench);
  operationCases(bench);
  claimCases(bench);
  lockRuleCases(bench);
  concurrencyCases(bench);
  userCases(bench);
  auditCases(bench);
  retentionCases(bench);
}
