import pg from 'pg';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { application } from '../contract/store/rows.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';

const missing = postgresMissing();
const suite = missing ? describe.skip : describe;

suite(`the store and its PostgreSQL server${missing ? ` (${missing})` : ''}`, () => {
  let server: PostgresServer;
  let url: string;
  let store: Store;
  const warnings: string[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    store = await openStore({ url, log: { warn: (_, message) => warnings.push(message) } });
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  const admin = async (text: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };

  test('of several gateways that start at once on a new database all find one installation', async () => {
    const fresh = await server.createDatabase();
    const opened = await Promise.all([1, 2, 3, 4].map(() => openStore({ url: fresh })));
    await Promise.all(opened.map((one) => one.close()));
    expect(new Set(opened.map(({ installation }) => installation)).size).toBe(1);
  });

  test('connections that the server closes are replaced, and said to be lost', async () => {
    await store.applications.create(application());
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coaps-gateway'`);
    const deadline = Date.now() + 10_000;
    while (warnings.length === 0 && Date.now() < deadline) await new Promise(setImmediate);
    expect(warnings).toContain('A connection to the database was lost');
    expect(await store.applications.get(1)).toMatchObject({ appId: 1 });
  });

  test('a transaction whose connection breaks is ServiceUnavailable and leaves nothing', async () => {
    const broken = store.transaction(async ({ applications }) => {
      const { appId } = await applications.create(application({ name: 'lost' }));
      await admin(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coaps-gateway' and state = 'idle in transaction'`,
      );
      await applications.get(appId);
    });
    await expect(broken).rejects.toMatchObject({ code: 'ServiceUnavailable', retryAfter: 5 });
    for await (const { name } of store.applications.list({})) expect(name).not.toBe('lost');
  });

  test('a server that is away is ServiceUnavailable, without its password', async () => {
    const away = 'postgres://u:geheim@127.0.0.1:1/db';
    const failure: unknown = await openStore({ url: away }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ServiceUnavailable' });
    expect(String((failure as Error).stack)).not.toContain('geheim');
  });
});
