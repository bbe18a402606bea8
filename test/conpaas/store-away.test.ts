import { zip } from '../archives/pack.js';
import { eventually } from '../support/conditions.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import type { Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

const missing = postgresMissing();
if (missing) test.skip(`ConPaaS on a PostgreSQL that goes away: ${missing}`, () => {});

const PAGE = zip([{ name: 'index.html', content: 'still here' }]);

(missing ? describe.skip : describe)('ConPaaS, while its database is killed', () => {
  let server: PostgresServer;
  let rig: SystemRig;
  beforeAll(async () => {
    server = await startPostgres();
    rig = await openSystem({ url: await server.createDatabase(), interval: 300 });
  }, 60_000);
  afterAll(async () => {
    await rig?.close();
    await server?.stop();
  }, 60_000);

  test('says that it will work again, and goes on with what was under way when it does', async () => {
    const owner = await rig.user('ann');
    const row = await owner.create('static');
    const manager = owner.manager(row.manager);
    const { result } = await manager.upload('upload_code_version', { code: { name: 'page.zip', bytes: PAGE } });
    await manager.post('enable_code', { codeVersionId: (result as { codeVersionId: string }).codeVersionId });
    await manager.post('startup', { cloud: 'default' });
    await server.kill();
    // Not as one whose certificate was revoked: who that is cannot be found out now.
    for (const ask of [() => owner.send('list', { method: 'POST' }), () => manager.send({ method: 'POST' })]) {
      const { status, headers } = await eventually(ask);
      expect({ status, again: headers['retry-after'] }).toEqual({ status: 503, again: '5' });
    }
    const form = { username: 'ann', password: 'pw-ann' };
    const login = await rig.stranger().send('login', { method: 'POST', form });
    expect({ ...JSON.parse(login.text), again: login.headers['retry-after'] }).toMatchObject({
      error: true,
      again: '5',
    });
    await server.restart();

    const running = await eventually(async () => {
      const [found] = (await owner.json('service_status')) as (Row & { url: string })[];
      expect(found?.state).toBe('RUNNING');
      return found;
    }, 60);
    expect(await (await fetch(running?.url ?? '')).text()).toBe('still here');
  }, 120_000);
});
