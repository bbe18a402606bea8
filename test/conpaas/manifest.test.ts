import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { list } from 'tar';
import { zip } from '../archives/pack.js';
import type { ConpaasClient, Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

const SITE = zip([{ name: 'index.html', content: '<h1>by manifest</h1>' }]);

let rig: SystemRig;
let ann: ConpaasClient;

beforeAll(async () => {
  rig = await openSystem({
    fetchArchive: async (url) => {
      if (!url.startsWith('https://archives.example.org/')) throw new Error('not there');
      return Readable.from([SITE]);
    },
  });
  ann = await rig.user('ann');
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const upload = (manifest: unknown, more = {}) =>
  ann.json('upload_manifest', { form: { manifest: JSON.stringify(manifest), ...more } });

async function aidOf(name: string): Promise<number> {
  const applications = (await ann.json('listapp')) as { aid: number; name: string }[];
  return applications.find((application) => application.name === name)?.aid ?? 0;
}

test('a manifest becomes an application that serves, comes out again, and is restored after it is gone', async () => {
  const manifest = {
    Application: 'Shop',
    Services: [
      {
        Type: 'static',
        ServiceName: 'Front',
        Cloud: 'default',
        Start: 1,
        Archive: 'https://archives.example.org/site.zip',
        StartupInstances: { proxy: '1', web: '1', backend: '2' },
      },
      { Type: 'static', ServiceName: 'Idle', Start: 0 },
    ],
  };
  expect(await upload(manifest)).toBe(true);
  const aid = await aidOf('Shop');
  const rows = (await ann.json(`list/${aid}`)) as Row[];
  expect(rows.map(({ name, state }) => [name, state])).toEqual([
    ['Front', 'RUNNING'],
    ['Idle', 'INIT'],
  ]);
  const statuses = (await ann.json(`service_status/${aid}`)) as { url: string; processes: number }[];
  expect(statuses[0]?.processes).toBe(2);
  expect(await (await fetch(statuses[0]?.url ?? '')).text()).toBe('<h1>by manifest</h1>');

  const taken = (await ann.json(`download_manifest/${aid}`)) as { Services: { Archive?: string }[] };
  expect(taken).toMatchObject({
    Application: 'Shop',
    Services: [
      { Type: 'static', ServiceName: 'Front', Cloud: 'iaas', Start: 1, StartupInstances: { backend: 2 } },
      { Type: 'static', ServiceName: 'Idle', Start: 0 },
    ],
  });
  expect(taken.Services[1]).not.toHaveProperty('Archive');
  const archive = await rig.stranger().send(taken.Services[0]?.Archive ?? '');
  expect(archive.body).toEqual(SITE);

  expect(await ann.json(`delete/${aid}`)).toBe(true);
  expect(await upload(taken)).toBe(true);
  const again = (await ann.json(`service_status/${await aidOf('Shop')}`)) as { url: string }[];
  expect(await (await fetch(again[0]?.url ?? '')).text()).toBe('<h1>by manifest</h1>');
}, 60_000);

test('a second application of a name gets a number', async () => {
  for (const name of ['Twin', 'Twin (2)', 'Twin (3)']) {
    expect(await upload({ Application: 'Twin', Services: [] })).toBe(true);
    expect(await aidOf(name)).toBeGreaterThan(0);
  }
});

test.each([
  [{ Services: [] }, { error: true, msg: 'Application is not defined' }],
  [
    { Application: 'X', Services: [{ Type: 'fake' }] },
    { error: true, msg: 'Service fake does not exists' },
  ],
  [{ Application: 'X', Services: [{ ServiceName: 'without' }] }, false],
  ['no object', false],
])('of %j nothing is made', async (manifest, answer) => {
  const before = await ann.json('listapp');
  expect(await upload(manifest)).toEqual(answer);
  expect(await ann.json('listapp')).toEqual(before);
});

test.each(['https://elsewhere.example.org/x.zip', 'file:///etc/passwd', 'http://169.254.169.254/'])(
  'of a manifest whose archive is at %s nothing remains',
  async (url) => {
    const before = [await ann.json('listapp'), await ann.json('list')];
    const services = [{ Type: 'static' }, { Type: 'static', Archive: url }];
    expect(await upload({ Application: 'X', Services: services })).toMatchObject({ error: true });
    expect([await ann.json('listapp'), await ann.json('list')]).toEqual(before);
  },
);

test('data that nobody kept is empty', async () => {
  for (const name of ['x', '..%2fsecret', `${'0'.repeat(40)}-x.zip`, 'secret']) {
    const { status, body } = await ann.send(`download_data/${name}`);
    expect([status, body.length]).toEqual([200, 0]);
  }
});

test('the package for other hosts can be fetched', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'conpaas-package-'));
  try {
    const file = join(folder, 'ConPaaS.tar.gz');
    await writeFile(file, (await rig.stranger().send('download/ConPaaS.tar.gz')).body);
    const names: string[] = [];
    await list({ file, onReadEntry: (entry) => names.push(entry.path) });
    expect(names).toContain('ConPaaS/package.json');
    expect(names).toContain('ConPaaS/dist/src/conpaas/agent/main.js');
    expect((await readFile(file)).length).toBeGreaterThan(10_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});
