import { text } from 'node:stream/consumers';
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

describe('a new version in the place of a running one', () => {
  test('that crashes leaves the old one serving, at its address, with its size', async () => {
    const { report } = await started('one');
    scenery.fake.world.cells.instances = 'crash';
    const next = await deploymentOf('two', { versionId: 2, memory: 512, processes: 2 });
    await expect(scenery.adapter.deploy(next, call())).rejects.toMatchObject({ kind: 'failed' });
    delete scenery.fake.world.cells.instances;
    expect(await seen()).toMatchObject([{ versionId: 1, state: 'STARTED', uri: report.uri, ref: report.ref }]);
    expect(await answerOf(report.uri)).toContain('one');
    expect(scenery.fake.world.processes.map(({ memory }) => memory)).toEqual([1024]);
    await scenery.adapter.restart(next.key, call());
    expect(await answerOf(report.uri)).toContain('one');
  });

  test('that needs more than the quota is refused before anything is replaced', async () => {
    const { report } = await started('one');
    const next = await deploymentOf('two', { versionId: 2, processes: 500 });
    await expect(scenery.adapter.deploy(next, call())).rejects.toMatchObject({ kind: 'quota' });
    expect(await answerOf(report.uri)).toContain('one');
    expect(scenery.fake.world.deployments.length).toBe(0);
  });

  test('that never becomes healthy is given up by a limit', async () => {
    const adapter = await scenery.again({ startTimeout: 0.3 });
    const { report } = await started('one');
    scenery.fake.world.cells.instances = 'no room';
    await expect(adapter.deploy(await deploymentOf('two', { versionId: 2 }), call())).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('the new version to take the place'),
    });
    expect(scenery.fake.world.deployments.map(({ reason }) => reason)).toEqual(['CANCELED']);
    expect(await answerOf(report.uri)).toContain('one');
  });
});

describe('drift', () => {
  test('what was stopped, scaled, crashed or deleted behind the gateway’s back is what the watcher reports', async () => {
    const { fake } = scenery;
    const one = await started('one', { appId: 1 });
    const two = await started('two', { appId: 2 });
    const three = await started('three', { appId: 3 });
    const four = await started('four', { appId: 4 });
    const app = (ref: string) => fake.world.apps.find(({ guid }) => guid === ref) ?? fail();
    fake.cells.wish(app(one.report.ref), 'STOPPED', false);
    const process = fake.world.processes.find((each) => each.app === app(two.report.ref)) ?? fail();
    fake.cells.scale(process, { instances: 0 });
    for (const route of fake.world.routes.filter(({ host }) => host === 'shop-3')) route.destinations = [];
    fake.world.apps.splice(fake.world.apps.indexOf(app(four.report.ref)), 1);
    const byApp = new Map((await seen()).map((each) => [each.key.appId, each]));
    expect(['STOPPING', 'STOPPED']).toContain(byApp.get(1)?.state);
    expect(byApp.get(2)).toMatchObject({ state: 'STOPPED', processes: 0 });
    expect(byApp.get(3)).toMatchObject({ state: 'STARTED' });
    expect(byApp.get(3)?.uri).toBeUndefined();
    expect(byApp.has(4)).toBe(false);
    // A start brings back what somebody scaled to nothing.
    expect(await scenery.adapter.start(two.spec.key, call())).toMatchObject({ state: 'STARTED', processes: 1 });
    expect(three.report.uri).toMatch(/shop-3/);
  });

  test('a start that the scheduler did not hear of is pushed again', async () => {
    const spec = await deploymentOf('one');
    await scenery.adapter.deploy(spec, call());
    const [app] = scenery.fake.world.apps;
    if (app) app.state = 'STARTED';
    expect(await seen()).toMatchObject([{ state: 'STARTING' }]);
    expect(await scenery.adapter.start(spec.key, call())).toMatchObject({ state: 'STARTED' });
  });

  test.each([{ embeds: true }, { embeds: false }])(
    '500 applications are observed in a number of calls that does not grow (%p)',
    async ({ embeds }) => {
      await scenery.close();
      scenery = await openScenery({ embeds });
      const { fake } = scenery;
      const { report } = await started('one');
      const [app] = fake.world.apps;
      const [process] = fake.world.processes;
      if (!app || !process) fail();
      for (let appId = 2; appId <= 500; appId += 1) {
        const copy = {
          ...app,
          ...fake.world.thing(),
          name: `copy-${appId}`,
          labels: { ...app.labels, 'coaps.gateway/application': String(appId) },
        };
        fake.world.apps.push(copy);
        fake.world.processes.push({ ...process, ...fake.world.thing(copy.guid), app: copy });
      }
      const before = fake.requests.length;
      const all = await seen();
      expect(all.length).toBe(500);
      expect(all.every(({ state }) => state === 'STARTED')).toBe(true);
      expect(fake.requests.length - before).toBeLessThanOrEqual(embeds ? 3 : 5);
      expect(all.find(({ key }) => key.appId === 1)).toEqual(report);
    },
  );

  test('without embedded states, those that crash are looked at one by one, up to a bound', async () => {
    await scenery.close();
    scenery = await openScenery({ embeds: false });
    const spec = await deploymentOf('one');
    await scenery.adapter.deploy(spec, call());
    scenery.fake.world.cells.instances = 'crash';
    await expect(scenery.adapter.start(spec.key, call())).rejects.toThrow('crashed');
    expect(await seen()).toMatchObject([{ state: 'FAILED', reason: expect.stringContaining('Exited with status 1') }]);
  });

  test('the number of calls for a deploy', async () => {
    await started('warm-up', { appId: 9 });
    const before = scenery.fake.requests.length;
    await scenery.adapter.deploy(
      await deploymentOf('one', { artefact: artefactOf('b.zip', 'zip', await makeZip({ 'index.html': 'b' })) }),
      call(),
    );
    const polls = /^GET \/v3\/(packages|builds|jobs)\//;
    expect(scenery.fake.requests.slice(before).filter((line) => !polls.test(line)).length).toBeLessThanOrEqual(25);
  });
});

describe('logs', () => {
  test('recent lines, oldest first, and those that follow until the reader goes', async () => {
    const { spec, report } = await started('one');
    await answerOf(report.uri);
    const lines = (await text(await scenery.adapter.logs(spec.key, { lines: 2, follow: false }, call())))
      .trim()
      .split('\n');
    expect(lines).toEqual([
      expect.stringContaining('Staging complete'),
      expect.stringMatching(/^\d{4}-.*Z \[APP\/PROC\/WEB\/0\] OUT a request was answered$/),
    ]);
    const reader = new AbortController();
    const stream = await scenery.adapter.logs(spec.key, { lines: 1, follow: true }, call(reader.signal));
    const heard: string[] = [];
    for await (const line of stream) {
      heard.push(String(line));
      if (heard.length === 1) scenery.fake.world.log(report.ref, 'APP/PROC/WEB', 'something new');
      if (heard.length === 2) reader.abort();
    }
    expect(heard).toEqual([
      expect.stringContaining('a request was answered'),
      expect.stringContaining('something new'),
    ]);
  });

  test('more lines than the log cache gives at once', async () => {
    const { spec, report } = await started('one');
    for (let line = 1; line <= 2500; line += 1) scenery.fake.world.log(report.ref, 'APP/PROC/WEB', `line ${line}`);
    const lines = (await text(await scenery.adapter.logs(spec.key, { lines: 2400, follow: false }, call())))
      .trim()
      .split('\n');
    expect(lines.length).toBe(2400);
    expect(lines[0]).toMatch(/line 101$/);
    expect(lines.at(-1)).toMatch(/line 2500$/);
  });
});

function fail(): never {
  throw new Error('the fake has not what the test expects');
}
