import assert from 'node:assert/strict';
import type { DeploymentSpec } from '../../adapters/adapter.js';
import type { AdapterCase } from './adapter.js';
import { deployed } from './adapter-life.js';
import { answerOf, call, type Mend, MOST_STEPS, refused, type Stage, same } from './adapter-stage.js';

/** What only a switch on the platform brings about. */
export const TROUBLE_CASES: AdapterCase[] = [
  {
    name: 'says unavailable while the platform is down, and works again afterwards',
    needs: 'down',
    async run(stage, trouble) {
      const { adapter } = stage;
      const spec = await deployed(stage);
      const mend = await trouble();
      const { key } = spec;
      try {
        await refused(adapter.observe(call()), 'unavailable');
        await refused(adapter.start(key, call()), 'unavailable');
        await refused(adapter.undeploy(key, call()), 'unavailable');
        await refused(adapter.createEnvironment(spec.environment, call()), 'unavailable');
      } finally {
        await mend();
      }
      assert.equal((await adapter.start(key, call())).state, 'STARTED');
    },
  },
  {
    name: 'finishes a half-done deploy when it is repeated, and makes nothing twice',
    needs: 'down',
    async run(stage, trouble) {
      const { adapter, everything } = stage;
      const spec = stage.deployment();
      await adapter.createEnvironment(spec.environment, call());
      const before = await everything();
      await adapter.deploy(spec, call());
      const { length: whole } = await everything();
      await adapter.undeploy(spec.key, call());
      for (let at = 0; at < MOST_STEPS; at++) {
        const done = await deployBrokenAt(stage, spec, at, trouble);
        const again = await (await stage.open()).deploy(spec, call());
        const all = await adapter.observe(call());
        assert.equal(all.length, 1, `broken at step ${at}`);
        same([all[0]?.ref, all[0]?.state], [again.ref, 'STOPPED']);
        assert.equal((await everything()).length, whole, `broken at step ${at}`);
        await adapter.undeploy(spec.key, call());
        same(await everything(), before, `broken at step ${at}`);
        if (done) return;
      }
    },
  },
  {
    name: 'waits for its turn when the platform throttles, or says when to come again',
    needs: 'throttled',
    async run(stage, trouble) {
      const spec = stage.deployment();
      await stage.adapter.createEnvironment(spec.environment, call());
      const mend = await trouble();
      try {
        for (let round = 0; round < MOST_STEPS; round++) {
          const error = await stage.adapter.deploy(spec, call()).then(
            () => undefined,
            (reason: { kind?: string }) => reason,
          );
          if (!error) break;
          assert.equal(error.kind, 'unavailable');
        }
      } finally {
        await mend();
      }
      assert.equal((await stage.adapter.observe(call())).length, 1);
    },
  },
  {
    name: 'ends a wait soon when it is aborted',
    needs: 'slow',
    async run(stage, trouble) {
      const spec = await deployed(stage);
      const mend = await trouble();
      const controller = new AbortController();
      const waiting = stage.adapter.start(spec.key, call(controller.signal));
      const limit = AbortSignal.timeout(10_000);
      try {
        controller.abort(new DOMException('The task was cancelled.', 'AbortError'));
        await assert.rejects(waiting);
        assert.ok(!limit.aborted, 'the abort ended the wait');
      } finally {
        await mend();
      }
    },
  },
  {
    name: 'says unauthorized when the platform refuses its credentials',
    needs: 'locked',
    async run(stage, trouble) {
      const mend = await trouble();
      try {
        await refused((await stage.open()).observe(call()), 'unauthorized');
      } finally {
        await mend();
      }
    },
  },
  {
    name: 'tells why staging failed and leaves nothing; a replacement leaves the old version serving',
    needs: 'stagingFails',
    async run(stage, trouble) {
      const { adapter, everything } = stage;
      const spec = stage.deployment();
      await adapter.createEnvironment(spec.environment, call());
      const before = await everything();
      let mend = await trouble();
      assert.ok((await refused(adapter.deploy(spec, call()), 'failed')).length > 0);
      await mend();
      same(await adapter.observe(call()), []);
      same(await everything(), before);
      await adapter.deploy(spec, call());
      await adapter.start(spec.key, call());
      const serving = await stage.seen(spec.key);
      mend = await trouble();
      await refused(adapter.deploy({ ...spec, versionId: 2, artefact: stage.artefacts.second }, call()), 'failed');
      await mend();
      same(await stage.seen(spec.key), serving);
      if (stage.bench.serves) await answerOf(serving?.uri);
    },
  },
  {
    name: 'tells why an application crashed at its start',
    needs: 'crashes',
    async run(stage, trouble) {
      const spec = await deployed(stage);
      const mend = await trouble();
      assert.ok((await refused(stage.adapter.start(spec.key, call()), 'failed')).length > 0);
      assert.notEqual((await stage.seen(spec.key))?.state, 'STARTED');
      await mend();
      assert.equal((await stage.adapter.restart(spec.key, call())).state, 'STARTED');
    },
  },
];

/** Takes the platform down at the deploy's `at`-th report of a step, so that not even cleaning up is possible, and mends it. */
async function deployBrokenAt(
  stage: Stage,
  spec: DeploymentSpec,
  at: number,
  trouble: () => Promise<Mend> | Mend,
): Promise<boolean> {
  const reports = { count: 0 };
  let down: ReturnType<typeof trouble> | undefined;
  const watching = call(undefined, () => {
    if (reports.count === at) down = trouble();
    reports.count += 1;
  });
  const done = await stage.adapter.deploy(spec, watching).then(
    () => true,
    () => false,
  );
  await (await down)?.();
  return done;
}
