import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { ArtefactSource, DeploymentSpec } from '../../adapters/adapter.js';
import type { Artefact } from '../../src/domain/model.js';
import type { AdapterCase } from './adapter.js';
import { deployed } from './adapter-life.js';
import { answerOf, call, MOST_STEPS, newInstallation, refused, type Stage, same } from './adapter-stage.js';

/** What goes wrong without any switch on the platform. */
export const UNHAPPY_CASES: AdapterCase[] = [
  {
    name: 'says not-found for a deployment that is not there',
    async run(stage) {
      const { adapter } = stage;
      const { environment, key } = stage.deployment();
      await adapter.createEnvironment(environment, call());
      for (const unknown of [key, { ...key, ref: 'no-such-ref' }]) {
        await refused(adapter.start(unknown, call()), 'not-found');
        await refused(adapter.stop(unknown, call()), 'not-found');
        await refused(adapter.restart(unknown, call()), 'not-found');
        await refused(adapter.scale(unknown, 1, call()), 'not-found', 'not-supported');
        await refused(adapter.logs(unknown, { lines: 1, follow: false }, call()), 'not-found', 'not-supported');
      }
    },
  },
  {
    name: 'undeploys and deletes what is not there without a complaint, also twice',
    async run(stage) {
      const { adapter } = stage;
      const spec = await deployed(stage);
      await adapter.start(spec.key, call());
      for (const _round of [1, 2]) await adapter.undeploy(spec.key, call());
      same(await adapter.observe(call()), []);
      for (const _round of [1, 2]) await adapter.deleteEnvironment(spec.environment, call());
    },
  },
  {
    name: 'refuses a container that it does not know, names what there is, and makes nothing',
    async run({ adapter, environment, everything }) {
      const before = await everything();
      const nodes = [{ name: 'quxlang', contentType: 'container' }];
      const message = await refused(adapter.createEnvironment(environment({ nodes }), call()), 'rejected');
      const { containers } = await adapter.info(call());
      assert.ok(
        containers.some((one) => message.includes(one.name)),
        `"${message}" names what there is`,
      );
      same(await everything(), before);
    },
  },
  {
    name: 'treats a database node as its capabilities say',
    async run({ adapter, environment, bench, everything }) {
      const before = await everything();
      const { databases } = await adapter.info(call());
      const nodes = [...(bench.nodes ?? []), { name: databases[0]?.name ?? 'mysql', contentType: 'database' }];
      const spec = environment({ nodes });
      if (adapter.capabilities.databases && databases.length > 0) {
        await adapter.createEnvironment(spec, call());
        await adapter.deleteEnvironment(spec, call());
      } else {
        await refused(adapter.createEnvironment(spec, call()), 'not-supported', 'rejected');
      }
      same(await everything(), before);
    },
  },
  {
    name: 'refuses the artefact types that it cannot run before anything is made',
    async run(stage) {
      const { adapter, artefacts, everything } = stage;
      const spec = stage.deployment();
      await adapter.createEnvironment(spec.environment, call());
      const before = await everything();
      const types: Artefact['type'][] = ['war', 'ear', 'jar', 'zip'];
      for (const type of types.filter((one) => !adapter.capabilities.artefacts.includes(one))) {
        await refused(adapter.deploy({ ...spec, artefact: { ...artefacts.first, type } }, call()), 'not-supported');
        same(await everything(), before);
      }
    },
  },
  {
    name: 'leaves nothing when the upload breaks',
    async run(stage) {
      const spec = stage.deployment();
      await stage.adapter.createEnvironment(spec.environment, call());
      const before = await stage.everything();
      await assert.rejects(stage.adapter.deploy({ ...spec, artefact: broken(stage.artefacts.first) }, call()));
      same(await stage.adapter.observe(call()), []);
      same(await stage.everything(), before);
    },
  },
  {
    name: 'leaves nothing when a first deploy is aborted, wherever that happens',
    async run(stage) {
      const { adapter, everything } = stage;
      const spec = stage.deployment();
      await adapter.createEnvironment(spec.environment, call());
      const before = await everything();
      for (let at = 0; at < MOST_STEPS; at++) {
        if (await deployAbortedAt(stage, spec, at)) return;
        same(await adapter.observe(call()), [], `aborted at step ${at}`);
        same(await everything(), before, `aborted at step ${at}`);
      }
    },
  },
  {
    name: 'goes on serving the old version when a replacement is aborted, wherever that happens',
    async run(stage) {
      const spec = await deployed(stage);
      await stage.adapter.start(spec.key, call());
      const before = await stage.seen(spec.key);
      const next = { ...spec, versionId: 2, artefact: stage.artefacts.second };
      for (let at = 0; at < MOST_STEPS; at++) {
        if (await deployAbortedAt(stage, next, at)) return;
        const after = await stage.seen(spec.key);
        same([after?.ref, after?.state, after?.uri], [before?.ref, 'STARTED', before?.uri], `at step ${at}`);
        assert.equal((await stage.adapter.observe(call())).length, 1);
        if (stage.bench.serves) await answerOf(after?.uri);
      }
    },
  },
  {
    name: 'leaves the objects of another installation alone',
    async run(stage) {
      const spec = await deployed(stage);
      const strange = newInstallation();
      const stranger = await stage.open(strange);
      const theirs = stage.deployment({ environment: stage.environment({ installation: strange }) });
      await stranger.createEnvironment(theirs.environment, call());
      const { ref } = await stranger.deploy(theirs, call());
      await stranger.start(theirs.key, call());
      const [before] = await stranger.observe(call());
      assert.notEqual(ref, (await stage.seen(spec.key))?.ref);
      assert.equal((await stage.adapter.observe(call())).length, 1);
      // A ref is a hint: a stranger's makes no difference.
      await stage.adapter.undeploy({ ...spec.key, ref }, call());
      await stage.adapter.deleteEnvironment(spec.environment, call());
      same(await stranger.observe(call()), [before]);
      await stranger.undeploy(theirs.key, call());
      await stranger.deleteEnvironment(theirs.environment, call());
    },
  },
];

/** Aborts the deploy at its `at`-th report of a step. True when it had come to its end before, or in spite of it. */
async function deployAbortedAt(stage: Stage, spec: DeploymentSpec, at: number): Promise<boolean> {
  const controller = new AbortController();
  const reports = { count: 0 };
  const watching = call(controller.signal, () => {
    if (reports.count === at) controller.abort(new DOMException('The task was cancelled.', 'AbortError'));
    reports.count += 1;
  });
  const done = await stage.adapter.deploy(spec, watching).then(
    () => true,
    () => false,
  );
  assert.ok(at > 0 || !done, 'a deploy tells at least one step, and hears an abort there');
  if (done) assert.ok(await stage.seen(spec.key), 'what was deployed is there');
  else assert.ok(controller.signal.aborted, 'the deploy failed by itself');
  return done;
}

function broken(artefact: ArtefactSource): ArtefactSource {
  const open = () =>
    Readable.from(
      (async function* () {
        for await (const chunk of artefact.open()) {
          yield (chunk as Buffer).subarray(0, 100);
          throw new Error('the file ended too soon');
        }
      })(),
    );
  return { ...artefact, open };
}
