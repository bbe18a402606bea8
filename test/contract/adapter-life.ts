import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { AdapterCase } from './adapter.js';
import { answerOf, call, refused, type Stage, same } from './adapter-stage.js';

/** What goes well. After each step the platform is asked again: an adapter's answer alone proves nothing. */
export const LIFE_CASES: AdapterCase[] = [
  {
    name: 'tells what the platform offers',
    async run({ adapter }) {
      const offer = await adapter.info(call());
      for (const node of [...offer.containers, ...offer.databases, ...offer.services]) {
        assert.ok(node.name.length > 0 && Array.isArray(node.versions));
      }
      assert.ok(offer.containers.length > 0, 'a platform has at least one container');
    },
  },
  {
    name: 'lives the usage scenario: environment, deploy, start, stop, undeploy, delete',
    async run(stage) {
      const { adapter, bench, seen } = stage;
      const spec = stage.deployment();
      const environment = await adapter.createEnvironment(spec.environment, call());
      assert.ok(environment.ref.length > 0);
      const deployed = await adapter.deploy(spec, call());
      assert.equal(deployed.state, 'STOPPED');
      const stopped = await seen(spec.key);
      assert.equal(stopped?.state, 'STOPPED');
      assert.equal(stopped?.ref, deployed.ref);
      assert.match(stopped?.uri ?? '', /^https?:\/\/[^/]+/);
      assert.equal(stopped?.uri, deployed.uri);
      const started = await adapter.start(spec.key, call());
      assert.equal(started.state, 'STARTED');
      assert.equal((await seen(spec.key))?.state, 'STARTED');
      if (bench.serves) assert.ok((await answerOf(started.uri)).length > 0);
      assert.equal((await adapter.stop(spec.key, call())).state, 'STOPPED');
      assert.equal((await seen(spec.key))?.state, 'STOPPED');
      if (bench.serves) await assert.rejects(answerOf(started.uri), 'a stopped deployment does not serve');
      await adapter.undeploy(spec.key, call());
      assert.equal(await seen(spec.key), undefined);
      await adapter.deleteEnvironment(spec.environment, call());
    },
  },
  {
    name: 'makes an environment once, however often it is asked',
    async run({ adapter, environment, everything }) {
      const first = await adapter.createEnvironment(environment(), call());
      const made = await everything();
      const second = await adapter.createEnvironment(environment({ variables: { GREETING: 'bonjour' } }), call());
      assert.equal(second.ref, first.ref);
      same(await everything(), made);
    },
  },
  {
    name: 'changes nothing when the same version is deployed again',
    async run(stage) {
      const spec = await deployed(stage);
      await stage.adapter.start(spec.key, call());
      const before = await stage.seen(spec.key);
      const made = await stage.everything();
      await stage.adapter.deploy(spec, call());
      same(await stage.seen(spec.key), before);
      same(await stage.everything(), made);
    },
  },
  {
    name: 'replaces a stopped version under the same ref and uri, and leaves it stopped',
    async run(stage) {
      const { before, after } = await replace(stage);
      same([after.ref, after.uri, after.state], [before.ref, before.uri, 'STOPPED']);
    },
  },
  {
    name: 'replaces a started version under the same ref and uri, and leaves it started',
    async run(stage) {
      const { before, after } = await replace(stage, { start: true });
      same([after.ref, after.uri, after.state], [before.ref, before.uri, 'STARTED']);
    },
  },
  {
    name: 'replaces without a failed request where it says so',
    async run(stage) {
      const { bench, adapter, artefacts } = stage;
      if (!bench.serves || !adapter.capabilities.replaceWithoutDowntime) return;
      const spec = await deployed(stage);
      const { uri } = await adapter.start(spec.key, call());
      const old = await answerOf(uri);
      const replacing = { done: false };
      const visitors = visit(uri ?? '', replacing);
      await adapter.deploy({ ...spec, versionId: 2, artefact: artefacts.second }, call()).finally(() => {
        replacing.done = true;
      });
      assert.ok((await visitors) > 0);
      assert.notEqual(await answerOf(uri), old, 'the new version answers');
    },
  },
  {
    name: 'starts a started and stops a stopped deployment without a change',
    async run(stage) {
      const { adapter, seen } = stage;
      const { key } = await deployed(stage);
      const stopped = await seen(key);
      await adapter.stop(key, call());
      same(await seen(key), stopped);
      await adapter.start(key, call());
      const started = await seen(key);
      await adapter.start(key, call());
      same(await seen(key), started);
    },
  },
  {
    name: 'restarts a started deployment and starts a stopped one',
    async run(stage) {
      const { adapter, seen } = stage;
      const { key } = await deployed(stage);
      for (const _round of ['stopped', 'started']) {
        assert.equal((await adapter.restart(key, call())).state, 'STARTED');
        assert.equal((await seen(key))?.state, 'STARTED');
      }
    },
  },
  {
    name: 'scales a stopped and a started deployment, or refuses as its capabilities say',
    async run(stage) {
      const { adapter, seen } = stage;
      const { key } = await deployed(stage);
      if (!adapter.capabilities.scale) {
        await refused(adapter.scale(key, 2, call()), 'not-supported');
        assert.equal((await seen(key))?.processes, 1);
        return;
      }
      await adapter.scale(key, 2, call());
      await adapter.start(key, call());
      assert.equal((await seen(key))?.processes, 2);
      assert.equal((await adapter.scale(key, 1, call())).processes, 1);
      const after = await seen(key);
      same([after?.processes, after?.state], [1, 'STARTED']);
    },
  },
  {
    name: 'keeps two instances of one application apart, and observes them all',
    async run(stage) {
      const { adapter } = stage;
      const first = await deployed(stage);
      const second = stage.deployment({ key: { instanceId: 2 }, versionId: 3 });
      const other = stage.deployment({ key: { appId: 2 }, applicationName: 'Other' });
      const reports = [await adapter.deploy(second, call()), await adapter.deploy(other, call())];
      await adapter.start(second.key, call());
      const all = await adapter.observe(call());
      assert.equal(all.length, 3);
      assert.equal(new Set(all.map((one) => one.ref)).size, 3);
      assert.equal(new Set([...all, ...reports].map((one) => one.uri)).size, 3);
      assert.equal((await stage.seen(first.key))?.state, 'STOPPED');
      assert.equal((await stage.seen(second.key))?.state, 'STARTED');
      await adapter.undeploy(second.key, call());
      assert.equal((await adapter.observe(call())).length, 2);
    },
  },
  {
    name: 'finds its deployments again after the gateway was started again',
    async run(stage) {
      const spec = await deployed(stage);
      const before = await stage.seen(spec.key);
      const again = await stage.open();
      same(await again.observe(call()), [before]);
      const { ref: _hint, ...key } = spec.key;
      assert.equal((await again.start(key, call())).ref, before?.ref);
      assert.equal((await stage.seen(spec.key))?.state, 'STARTED');
    },
  },
  {
    name: 'gives the log, and follows it, as its capabilities say',
    async run(stage) {
      const { adapter } = stage;
      const { key } = await deployed(stage);
      await adapter.start(key, call());
      const { logs, followLogs } = adapter.capabilities;
      if (!logs) await refused(adapter.logs(key, { lines: 10, follow: false }, call()), 'not-supported');
      else assert.equal(typeof (await text(await adapter.logs(key, { lines: 10, follow: false }, call()))), 'string');
      const controller = new AbortController();
      const following = adapter.logs(key, { lines: 10, follow: true }, call(controller.signal));
      if (!followLogs) {
        await refused(following, 'not-supported');
        return;
      }
      const stream = (await following).on('error', () => {}).resume();
      assert.equal(stream.destroyed, false);
      const closed = once(stream, 'close', { signal: AbortSignal.timeout(10_000) });
      controller.abort();
      await closed;
    },
  },
];

/** An environment with one deployment on it, stopped. */
export async function deployed(stage: Stage, changes: Parameters<Stage['deployment']>[0] = {}) {
  const spec = stage.deployment(changes);
  await stage.adapter.createEnvironment(spec.environment, call());
  const { ref } = await stage.adapter.deploy(spec, call());
  return { ...spec, key: { ...spec.key, ref } };
}

async function replace(stage: Stage, { start = false } = {}) {
  const spec = await deployed(stage);
  if (start) await stage.adapter.start(spec.key, call());
  const before = await stage.seen(spec.key);
  const made = await stage.everything();
  await stage.adapter.deploy({ ...spec, versionId: 2, artefact: stage.artefacts.second }, call());
  const after = await stage.seen(spec.key);
  assert.ok(before && after);
  if (after.versionId !== undefined) assert.equal(after.versionId, 2);
  assert.equal((await stage.adapter.observe(call())).length, 1);
  if (stage.bench.serves && start) assert.ok(await answerOf(after.uri));
  assert.ok(made.length > 0 || !stage.bench.objects);
  return { before, after };
}

/** Requests, one after the other, until the flag is set; each must succeed. Returns how many there were. */
async function visit(uri: string, replacing: { done: boolean }): Promise<number> {
  let requests = 0;
  do {
    await answerOf(uri);
    requests += 1;
  } while (!replacing.done);
  return requests;
}
