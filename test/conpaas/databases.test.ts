import { Readable } from 'node:stream';
import { zip } from '../archives/pack.js';
import { type Login, mariadbIsMissing, query } from '../support/mariadb.js';
import type { ConpaasClient, Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

const missing = await mariadbIsMissing();
if (missing) console.warn(`Databases of ConPaaS are not tried. ${missing}`);

let rig: SystemRig;
let owner: ConpaasClient;

beforeAll(async () => {
  const fetchArchive = async (url: string) =>
    Readable.from([
      url.endsWith('.sql') ? "CREATE TABLE things (name TEXT); INSERT INTO things VALUES ('spade');\n" : CODE,
    ]);
  rig = await openSystem({ movable: true, interval: 3_600_000, fetchArchive });
  owner = await rig.user('owner');
}, 60_000);
afterAll(() => rig?.close(), 60_000);

/** Answers with what the application was told of databases. */
const SHOW = `
const told = Object.entries(process.env).filter(([name]) => /^(MYSQL_|DATABASE_URL)/.test(name));
require('node:http').createServer((request, response) => response.end(JSON.stringify(Object.fromEntries(told))))
  .listen(process.env.PORT, process.env.HOST);
`;
const CODE = zip([
  { name: 'package.json', content: '{"name":"show","version":"1.0.0","main":"show.js"}' },
  { name: 'show.js', content: SHOW },
]);

/** A running application that tells what it was told. */
async function shown(aid: number, variables: Record<string, string>) {
  const app = await owner.create('nodejs', { appid: String(aid) });
  const manager = owner.manager(app.manager);
  const code = { name: 'show.zip', bytes: CODE };
  const { codeVersionId } = (await manager.upload('upload_code_version', { code })).result as { codeVersionId: string };
  await manager.post('update_settings', { codeVersionId, variables });
  await manager.post('startup');
  expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
  const all = (await owner.json('service_status')) as { sid: number; url: string }[];
  const url = all.find(({ sid }) => sid === app.sid)?.url ?? '';
  return {
    look: async () => (await (await fetch(url)).json()) as Record<string, string>,
    settings: async () => (await manager.get('get_settings')).result,
    async changed() {
      await manager.post('enable_code', { codeVersionId });
      expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    },
  };
}

(missing ? test.skip : test)(
  'databases are told to the services of their application, and to nobody else',
  async () => {
    const { aid } = (await owner.json('createapp', { form: { name: 'shop' } })) as { aid: number };
    const { aid: other } = (await owner.json('createapp', { form: { name: 'other' } })) as { aid: number };
    const first = await owner.create('mysql', { appid: String(aid) });
    const access = (await owner.manager(first.manager).get('get_credentials')).result as Record<string, string>;
    const { host, port, user, password = '', database, url } = access;
    expect(url).toBe(`mysql://${user}:${password}@${host}:${port}/${database}`);
    const [elsewhere, beside] = await Promise.all([shown(other, {}), shown(aid, { MYSQL_HOST: 'mine' })]);
    expect(await elsewhere.look()).toEqual({});
    const told = {
      DATABASE_URL: url,
      // What its owner sets wins.
      MYSQL_HOST: 'mine',
      MYSQL_PORT: String(port),
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
      MYSQL_DATABASE: database,
      MYSQL_URL: url,
    };
    expect(await beside.look()).toEqual(told);
    expect(await beside.settings()).toMatchObject({ variables: { MYSQL_HOST: 'mine' } });
    expect(JSON.stringify(await beside.settings())).not.toContain(password);

    // One that comes later is told of at the next change.
    await owner.create('mysql', { appid: String(aid) });
    await beside.changed();
    const later = await beside.look();
    expect(later).toMatchObject(told);
    expect(Object.keys(later).filter((name) => name.startsWith('MYSQL_2_'))).toHaveLength(6);
    expect(later['MYSQL_2_PASSWORD']).not.toBe(password);
  },
  120_000,
);

(missing ? test.skip : test)(
  'a manifest makes a database with its content, which costs nothing while it is stopped',
  async () => {
    const rose = await rig.user('rose');
    const manifest = {
      Application: 'Garden',
      Services: [
        { Type: 'nodejs', Start: 1, Archive: 'https://example.org/show.zip' },
        { Type: 'mysql', Start: 1, Password: 'of the gardener', Dump: 'https://example.org/garden.sql' },
      ],
    };
    expect(await rose.json('upload_manifest', { form: { manifest: JSON.stringify(manifest) } })).toBe(true);
    const applications = (await rose.json('listapp')) as { aid: number; name: string }[];
    const aid = applications.find(({ name }) => name === 'Garden')?.aid;
    const rows = (await rose.json(`list/${aid}`)) as Row[];
    const database = rows.find(({ type }) => type === 'mysql');
    const manager = rose.manager(database?.manager ?? '');
    const access = (await manager.get('get_credentials')).result as Login & { url: string };
    const gardener = { ...access, user: 'mysqldb', password: 'of the gardener' };
    expect(await query(gardener, 'SELECT name FROM conpaas.things')).toEqual(['spade']);
    // It stands after its application in the manifest, and is there before it all the same.
    const statuses = (await rose.json(`service_status/${aid}`)) as { type: string; url: string }[];
    const shows = statuses.find(({ type }) => type === 'nodejs')?.url ?? '';
    expect(await (await fetch(shows)).json()).toMatchObject({ DATABASE_URL: access.url });
    expect(await rose.json(`stop/${rows.find(({ type }) => type === 'nodejs')?.sid}`)).toBe(true);

    const credit = async () => (await rose.json('user_credit', { method: 'GET' })) as number;
    await manager.post('shutdown');
    expect(await manager.until('STOPPED', 'ERROR')).toBe('STOPPED');
    const before = await credit();
    rig.clock.now = new Date(rig.clock.now.getTime() + 10 * 3_600_000);
    await rig.conpaas.tick();
    expect(await credit()).toBe(before);
    await manager.post('startup');
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    await rig.conpaas.tick();
    expect(await credit()).toBe(before - 1);
    expect(await query(gardener, 'SELECT name FROM conpaas.things')).toEqual(['spade']);
  },
  180_000,
);
