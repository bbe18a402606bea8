import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeploymentSpec, EnvironmentSpec, PlatformAdapter } from '../../adapters/adapter.js';
import { createManagerClients, type ManagerApi } from '../../adapters/conpaas/client.js';
import { deploy } from '../../adapters/conpaas/deploy.js';
import { createDirectorApi } from '../../adapters/conpaas/director.js';
import { UnknownMethod } from '../../adapters/conpaas/errors.js';
import { createConpaasAdapter } from '../../adapters/conpaas/index.js';
import * as lifecycle from '../../adapters/conpaas/lifecycle.js';
import { logs } from '../../adapters/conpaas/logs.js';
import { createEnvironment, deleteEnvironment } from '../../adapters/conpaas/services.js';
import { readSettings } from '../../adapters/conpaas/settings.js';
import { allStatuses, type Work } from '../../adapters/conpaas/work.js';
import { openSystem, type SystemRig } from '../conpaas/system-rig.js';
import { artefactOf } from '../contract/adapter.js';
import { makeZip } from '../contract/archive.js';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const INSTALLATION = 'test1234';
const CRASH = join(tmpdir(), `coaps-crash-${process.pid}`);

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

const call = () => ({ signal: AbortSignal.timeout(120_000), step: () => undefined });

function environment(changes: Partial<EnvironmentSpec> = {}): EnvironmentSpec {
  return { installation: INSTALLATION, envId: 1, name: 'Env', nodes: [], variables: {}, ...changes };
}

async function application(word: string) {
  const server = `
    if (require('node:fs').existsSync(${JSON.stringify(CRASH)})) { console.log('out of luck'); process.exit(7); }
    console.log('${word} begins');
    require('node:http').createServer((request, response) => response.end('${word} ' + process.env.GREETING))
      .listen(process.env.PORT, process.env.HOST);`;
  const manifest = JSON.stringify({ name: word, version: '1.0.0', main: 'server.js' });
  return artefactOf(`${word}.zip`, 'zip', await makeZip({ 'package.json': manifest, 'server.js': server }));
}

async function site() {
  return artefactOf('site.zip', 'zip', await makeZip({ 'index.html': '<p>site</p>' }));
}

async function spec(changes: Partial<DeploymentSpec> = {}): Promise<DeploymentSpec> {
  const env = changes.environment ?? environment();
  return {
    key: { installation: INSTALLATION, appId: 1, envId: env.envId, instanceId: 1 },
    versionId: 1,
    applicationName: 'Shop',
    environment: env,
    artefact: await application('one'),
    processes: 1,
    ...changes,
  };
}

const container = (name: string, version?: string) => ({
  name,
  contentType: 'container',
  ...(version === undefined ? {} : { version }),
});
const page = async (uri: string | undefined) => (await fetch(uri ?? '')).text();

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

/** Methods and endpoints that a ConPaaS of 2015 does not have. */
const OURS = ['get_settings', 'update_settings', 'reset', 'undo', 'get_application_log'];

async function oldConpaas(): Promise<Work> {
  const settings = await readSettings({ options: { ...rig.conpaas.adapterOptions } });
  const director = createDirectorApi(settings);
  const managers = createManagerClients(settings);
  const without = (asking: ManagerApi['get']): ManagerApi['get'] => {
    return async (method, parameters) => {
      if (OURS.includes(method)) throw new UnknownMethod(method);
      return await asking(method, parameters);
    };
  };
  return {
    settings,
    installation: 'old12345',
    call: call(),
    director: { ...director, statuses: async () => undefined, runtimes: async () => undefined },
    managers: {
      ...managers,
      at(address, given) {
        const manager = managers.at(address, given);
        return { ...manager, get: without(manager.get), post: without(manager.post) };
      },
    },
  };
}

test('a ConPaaS that knows nothing of ours is driven by the methods of 2012 alone', async () => {
  const work = await oldConpaas();
  const env = environment({ installation: 'old12345', variables: { GREETING: 'hello' } });
  const key = { installation: 'old12345', appId: 1, envId: 1, instanceId: 1 };
  await createEnvironment(work, env);
  const { remarks, state } = await deploy(work, await spec({ key, environment: env }));
  expect(state).toBe('STOPPED');
  expect(remarks).toEqual([expect.stringContaining('GREETING')]);
  await expect(lifecycle.scale(work, key, 2)).rejects.toMatchObject({ kind: 'not-supported' });
  const started = await lifecycle.start(work, key);
  expect(started).toMatchObject({ state: 'STARTED', processes: 1, versionId: 1 });
  expect(await page(started.uri)).toBe('one undefined');
  expect(await lifecycle.scale(work, key, 2)).toMatchObject({ processes: 2 });
  const again = await deploy(
    work,
    await spec({ key, environment: env, versionId: 2, artefact: await application('two') }),
  );
  expect(again).toMatchObject({ state: 'STARTED', versionId: 2, uri: started.uri });
  expect(await page(again.uri)).toBe('two undefined');
  expect(await lifecycle.scale(work, key, 1)).toMatchObject({ processes: 1 });
  expect(await allStatuses(work, () => true)).toHaveLength(1);
  expect(await lifecycle.stop(work, key)).toMatchObject({ state: 'STOPPED' });
  expect(await text(await logs(work, key, { lines: 5, follow: false }))).toBeDefined();
  await lifecycle.undeploy(work, key);
  await deleteEnvironment(work, env);
  expect(await work.director.services(call().signal)).toEqual([]);
  work.director.close();
  work.managers.close();
}, 180_000);
