import { text } from 'node:stream/consumers';
import { answerOf, artefactOf, call } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { deploymentOf, openScenery, type Scenery } from '../support/cloudfoundry-bench.js';

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

  test('that cannot be staged does not hold up the next start: `start` would wait for the platform’s next round', async () => {
    const { spec } = await started('one');
    scenery.fake.world.cells.staging = 'BuildpackCompileFailed - App staging failed in the buildpack compile phase';
    await expect(scenery.adapter.deploy(await deploymentOf('two', { versionId: 2 }), call())).rejects.toThrow(
      'Staging failed',
    );
    await scenery.adapter.stop(spec.key, call());
    const before = scenery.fake.requests.length;
    expect(await scenery.adapter.start(spec.key, call())).toMatchObject({ state: 'STARTED', versionId: 1 });
    const actions = scenery.fake.requests.slice(before).filter((line) => line.includes('/actions/'));
    expect(actions).toEqual([expect.stringMatching(/\/actions\/restart$/)]);
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
