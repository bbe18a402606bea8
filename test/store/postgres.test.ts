import { openStore } from '../../src/store/open.js';
import { storeContractSuite } from '../contract/store.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';

const missing = postgresMissing();

if (missing) {
  test.skip(`the store on PostgreSQL: ${missing}`, () => {});
} else {
  describe('the store on PostgreSQL', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server.stop());

    storeContractSuite((url) => openStore({ url }), {
      create: () => server.createDatabase(),
      remove: (url) => server.dropDatabase(url),
    });
  });
}
