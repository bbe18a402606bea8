import { answerOf, artefactOf, call } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { deploymentOf, environmentOf, openScenery, type Scenery } from '../support/cloudfoundry-bench.js';

let scenery: Scenery;
beforeEach(async () => {
  scenery = await openScenery();
});
afterEach(() => scenery.close());

async function started(word = 'one', changes: Parameters<typeof deploymentOf>[1] = {}) {
  const spec = await deploymentOf(word, changes);
  await scenery.adapter.deploy(spec, call());
  return { spec, report: await scenery.adapter.start(spec.key, call()) };
}

async function seen() {
  return await scenery.adapter.observe(call());
}

describe('what is deployed', () => {
  test('a node application really runs and answers at its route, with its environment', async () => {
    await scenery.close();
    scenery = await openScenery({ runs: true });
    const server =
      'require("http").createServer((q, r) => r.end(`${process.env.GREETING} from ${process.version}`)).listen(process.env.PORT)';
    const files = { 'package.json': '{"scripts":{"start":"node server.js"}}', 'server.js': server };
    const artefact = artefactOf('app.zip', 'zip', await makeZip(files));
    const environment = environmentOf({
      variables: { GREETING: 'hello' },
      nodes: [{ name: 'node', contentType: 'container' }],
    });
    const { spec, report } = await started('one', { artefact, environment });
    expect(await answerOf(report.uri)).toBe(`hello from ${process.version}`);
    await scenery.adapter.stop(spec.key, call());
    await expect(answerOf(report.uri)).rejects.toThrow();
  });

  test('takes its host from the application’s name, numbers it when it is taken, and keeps it', async () => {
    const spec = await deploymentOf('one', { applicationName: 'Pêt Clinic!' });
    const first = await scenery.adapter.deploy(spec, call());
    const second = await scenery.adapter.deploy({ ...spec, key: { ...spec.key, appId: 7 } }, call());
    expect(first.uri).toMatch(/\/pet-clinic\.apps\.cf\.example$/);
    expect(second.uri).toMatch(/\/pet-clinic-7\.apps\.cf\.example$/);
    await scenery.adapter.undeploy(spec.key, call());
    const next = await deploymentOf('two', { applicationName: 'Pet Clinic', versionId: 2, appId: 7 });
    expect((await scenery.adapter.deploy(next, call())).uri).toBe(second.uri);
  });

  test('gets its memory and processes, and is told what was raised', async () => {
    const nodes = [{ name: 'tomcat', contentType: 'container', version: '9' }];
    const spec = await deploymentOf('one', { environment: environmentOf({ nodes, memory: 65 }), processes: 3 });
    const { remarks, processes } = await scenery.adapter.deploy(spec, call());
    expect(processes).toBe(3);
    expect(remarks?.join(' ')).toMatch(/65 MiB is too little for java_buildpack; it gets 768 MiB/);
    expect(scenery.fake.world.processes[0]).toMatchObject({ memory: 768, instances: 3 });
    expect(scenery.fake.world.apps[0]?.lifecycle.data.buildpacks).toEqual(['java_buildpack']);
  });

  test('does not get the variables that are the platform’s own', async () => {
    const variables = { GREETING: 'hello', PORT: '1', VCAP_X: '2' };
    const spec = await deploymentOf('one', { environment: environmentOf({ variables }) });
    const { remarks } = await scenery.adapter.deploy(spec, call());
    expect(remarks?.join(' ')).toMatch(/PORT.*VCAP_X/);
    expect(scenery.fake.world.apps[0]?.env).toEqual({ GREETING: 'hello' });
    const changed = await deploymentOf('two', {
      versionId: 2,
      environment: environmentOf({ variables: { OTHER: 'x' } }),
    });
    await scenery.adapter.deploy(changed, call());
    expect(scenery.fake.world.apps[0]?.env).toEqual({ OTHER: 'x' });
  });

  test('goes back to an earlier version without staging it again', async () => {
    const { spec } = await started('one');
    await scenery.adapter.deploy(await deploymentOf('two', { versionId: 2 }), call());
    await scenery.adapter.deploy(spec, call());
    expect(scenery.fake.world.builds.length).toBe(2);
    expect(await answerOf((await seen())[0]?.uri)).toContain('one');
  });
});

describe('the platform’s own words reach the user', () => {
  test('staging: reason and the log’s tail', async () => {
    scenery.fake.world.cells.staging = 'BuildpackCompileFailed - App staging failed in the buildpack compile phase';
    const deploying = scenery.adapter.deploy(await deploymentOf('one'), call());
    await expect(deploying).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(
        /Staging failed: BuildpackCompileFailed(.|\n)*\[STG\/0\] ERR Failed to compile droplet/,
      ),
    });
  });

  test('staging: a platform without room is no fault of the application', async () => {
    scenery.fake.world.cells.staging = 'InsufficientResources - Insufficient resources';
    const deploying = scenery.adapter.deploy(await deploymentOf('one'), call());
    await expect(deploying).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('Insufficient resources'),
    });
  });

  test('an artefact that is no archive', async () => {
    const artefact = artefactOf('a.zip', 'zip', Buffer.from('this is no zip file'));
    const deploying = scenery.adapter.deploy(await deploymentOf('one', { artefact }), call());
    await expect(deploying).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('Invalid zip archive'),
    });
    expect(scenery.fake.inventory()).toEqual([]);
  });

  test('a crash: exit description and last lines, from start and from the watcher', async () => {
    const spec = await deploymentOf('one');
    await scenery.adapter.deploy(spec, call());
    scenery.fake.world.cells.instances = 'crash';
    await expect(scenery.adapter.start(spec.key, call())).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/crashed: APP\/PROC\/WEB: Exited with status 1\n.*\[APP\/PROC\/WEB\/0\]/),
    });
    expect(await seen()).toMatchObject([{ state: 'FAILED', reason: expect.stringContaining('Exited with status 1') }]);
  });

  test('an application that never listens', async () => {
    const spec = await deploymentOf('one');
    await scenery.adapter.deploy(spec, call());
    scenery.fake.world.cells.instances = 'deaf';
    await expect(scenery.adapter.start(spec.key, call())).rejects.toThrow('Failed to make TCP connection to port 8080');
  });

  test('no cell with room: the wait ends by its limit and says what it waited for', async () => {
    const adapter = await scenery.again({ startTimeout: 0.3 });
    const spec = await deploymentOf('one');
    await adapter.deploy(spec, call());
    scenery.fake.world.cells.instances = 'no room';
    await expect(adapter.start(spec.key, call())).rejects.toMatchObject({
      kind: 'quota',
      message: expect.stringContaining('insufficient resources: memory'),
    });
    expect(await seen()).toMatchObject([{ state: 'STARTING' }]);
  });

  test('quota', async () => {
    const spec = await deploymentOf('one', { memory: 6000, processes: 2 });
    await scenery.adapter.deploy(spec, call());
    await expect(scenery.adapter.start(spec.key, call())).rejects.toMatchObject({
      kind: 'quota',
      message: expect.stringContaining('memory quota_exceeded'),
    });
  });

  test('a name that a stranger has, and hosts that strangers have', async () => {
    const { world } = scenery.fake;
    const spec = await deploymentOf('one');
    const stranger = await scenery.adapter.deploy(spec, call());
    for (const app of world.apps) app.labels = {};
    for (const route of world.routes) route.labels = {};
    await expect(scenery.adapter.deploy(spec, call())).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining("App with the name 'coaps-tabcdefg-1-1-1' already exists"),
    });
    expect(world.apps.map(({ guid }) => guid)).toEqual([stranger.ref]);
    for (const app of world.apps) app.name = 'theirs';
    for (const host of ['shop-1', 'shop-1-1-1', 'shop-tabcdefg-1-1-1']) {
      const [route] = world.routes;
      if (route) world.routes.push({ ...route, ...world.thing(), host });
    }
    await expect(scenery.adapter.deploy(spec, call())).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('shop-1'),
    });
    expect(world.apps.map(({ name }) => name)).toEqual(['theirs']);
  });

  test('a feature that an administrator has switched off, and a suspended organisation', async () => {
    const { world } = scenery.fake;
    world.flags.set('app_bits_upload', { enabled: false, text: 'uploads are closed for maintenance' });
    await expect(scenery.adapter.deploy(await deploymentOf('one'), call())).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('uploads are closed for maintenance'),
    });
    for (const org of world.orgs) org.suspended = true;
    await expect(scenery.adapter.deploy(await deploymentOf('one'), call())).rejects.toThrow(
      'The organization is suspended',
    );
  });
});
