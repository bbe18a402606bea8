import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { PlatformAdapter } from '../../adapters/adapter.js';
import { createDirectorApi } from '../../adapters/conpaas/director.js';
import { createConpaasAdapter } from '../../adapters/conpaas/index.js';
import { readSettings } from '../../adapters/conpaas/settings.js';
import { openSystem, type SystemRig } from '../conpaas/system-rig.js';
import { artefactOf } from '../contract/adapter.js';
import { makeZip } from '../contract/archive.js';
import { application, CRASH, call, environment, INSTALLATION, page, site, spec } from '../support/conpaas-specs.js';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

let rig: SystemRig;
let adapter: PlatformAdapter;

beforeAll(async () => {
  rig = await openSystem();
  const options = { ...rig.conpaas.adapterOptions };
  adapter = await createConpaasAdapter({ platform: 'CP', installation: INSTALLATION, options, log: SILENT });
  await adapter.createEnvironment(environment(), call());
}, 60_000);
afterAll(async () => {
  await adapter?.close();
  await rig?.close();
  rmSync(CRASH, { force: true });
}, 60_000);

const container = (name: string, version?: string) => ({
  name,
  contentType: 'container',
  ...(version === undefined ? {} : { version }),
});

test('the environment reaches the application, and a change of it alone is a new start', async () => {
  const env = environment({ variables: { GREETING: 'hello' } });
  const first = await spec({ environment: env });
  await adapter.deploy(first, call());
  const { uri } = await adapter.start(first.key, call());
  expect(await page(uri)).toBe('one hello');
  await adapter.deploy({ ...first, environment: { ...env, variables: { GREETING: 'bonjour' } } }, call());
  expect(await page(uri)).toBe('one bonjour');
  expect(await text(await adapter.logs(first.key, { lines: 5, follow: false }, call()))).toContain('one begins');
}, 180_000);

test('a new version that crashes leaves the old one serving and says why', async () => {
  const next = await spec({ versionId: 2, artefact: await application('two') });
  writeFileSync(CRASH, '');
  try {
    await expect(adapter.deploy(next, call())).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('out of luck'),
    });
  } finally {
    rmSync(CRASH);
  }
  const [seen] = await adapter.observe(call());
  expect(seen).toMatchObject({ state: 'STARTED', versionId: 1 });
  expect(await page(seen?.uri)).toBe('one bonjour');
  expect(existsSync(CRASH)).toBe(false);
  await adapter.deploy(next, call());
  expect((await adapter.observe(call()))[0]).toMatchObject({ state: 'STARTED', versionId: 2 });
  await adapter.undeploy(next.key, call());
}, 180_000);

test('an application that dies for good is reported as FAILED with its words', async () => {
  const dying = await spec({
    key: { installation: INSTALLATION, appId: 2, envId: 1, instanceId: 1 },
    artefact: artefactOf(
      'dying.zip',
      'zip',
      await makeZip({
        'package.json': '{"name":"dying","version":"1.0.0","main":"x.js"}',
        'x.js': `const fs = require('node:fs');
          if (fs.existsSync(${JSON.stringify(CRASH)})) process.exit(9);
          require('node:http').createServer((q, r) => { r.end(); process.exit(9); }).listen(process.env.PORT, process.env.HOST);`,
      }),
    ),
  });
  await adapter.deploy(dying, call());
  // It dies at every request, the probe's among them, and at last does not even start.
  await adapter.start(dying.key, call()).catch(() => undefined);
  writeFileSync(CRASH, '');
  const seen = async () => (await adapter.observe(call())).find(({ key }) => key.appId === 2);
  for (let tries = 0; (await seen())?.state !== 'FAILED'; tries++) {
    expect(tries).toBeLessThan(100);
    await fetch((await seen())?.uri ?? '').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect((await seen())?.reason?.length).toBeGreaterThan(0);
  rmSync(CRASH);
  await adapter.undeploy(dying.key, call());
}, 180_000);

describe('containers', () => {
  test.each([
    [[container('node.js', '0.10')], 'nodejs'],
    [[container('static')], 'static'],
    [[], 'nodejs'],
  ])('%j gives a %s service', async (nodes, type) => {
    const wanted = await spec({ environment: environment({ nodes }), artefact: await application('one') });
    await adapter.deploy(wanted, call());
    const services = await rig.store.conpaas.services({});
    expect(services.map((service) => service.type)).toEqual([type]);
    await adapter.undeploy(wanted.key, call());
  });

  test('what the archive holds decides when none is named', async () => {
    const wanted = await spec({ artefact: await site() });
    await adapter.deploy(wanted, call());
    expect((await rig.store.conpaas.services({})).map(({ type }) => type)).toEqual(['static']);
    const other = await spec({ versionId: 2, artefact: await application('one') });
    await expect(adapter.deploy(other, call())).rejects.toMatchObject({ kind: 'rejected' });
    await adapter.undeploy(wanted.key, call());
    const unclear = artefactOf('x.zip', 'zip', await makeZip({ 'readme.txt': 'nothing to run' }));
    await expect(adapter.deploy(await spec({ artefact: unclear }), call())).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('node'),
    });
    expect(await rig.store.conpaas.services({})).toEqual([]);
  });

  test('an ear names what could run it, and a war does not run on node', async () => {
    const ear = { ...(await site()), type: 'ear' as const };
    await expect(adapter.deploy(await spec({ artefact: ear }), call())).rejects.toMatchObject({
      kind: 'not-supported',
      message: expect.stringContaining('jboss'),
    });
    const war = { ...(await site()), type: 'war' as const };
    const env = environment({ nodes: [container('node')] });
    await expect(adapter.deploy(await spec({ artefact: war, environment: env }), call())).rejects.toMatchObject({
      kind: 'not-supported',
      message: expect.stringContaining('tomcat'),
    });
  });

  test('too little memory is raised with a remark', async () => {
    const wanted = await spec({ memory: 5 });
    const { remarks } = await adapter.deploy(wanted, call());
    expect(remarks).toEqual([expect.stringMatching(/raised from 5 to 64 MiB/)]);
    await adapter.undeploy(wanted.key, call());
  });

  test('information tells what is missing and how to get it', async () => {
    const { containers, remarks } = await adapter.info(call());
    expect(containers.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'static']));
    expect(containers.find(({ name }) => name === 'node')?.versions).toEqual([expect.stringMatching(/^\d+\.\d+/)]);
    const war = rig.conpaas.runtimes.find(({ name }) => name === 'war');
    const hasTomcat = war?.available === true && /Tomcat/.test(war.version ?? '');
    expect(containers.some(({ name }) => name === 'tomcat')).toBe(hasTomcat);
    const missing = rig.conpaas.runtimes.filter(({ available }) => !available);
    expect(remarks).toHaveLength(missing.length);
  });
});

test('a service of the same name that is not in our form is a stranger', async () => {
  const gateway = await rig.store.users.get('coaps-gateway');
  const aid = (await rig.store.conpaas.applications(gateway?.uid ?? 0))[0]?.aid ?? 0;
  const director = createDirectorApi(await readSettings({ options: { ...rig.conpaas.adapterOptions } }));
  const { sid } = await director.startService('static', aid, `coaps-${INSTALLATION}-a1-e1`, call().signal);
  expect(await adapter.observe(call())).toEqual([]);
  await director.stopService(sid, call().signal);
  director.close();
});
