import type { DeploymentSpec } from '../../adapters/adapter.js';
import type { OpenShiftAdapter } from '../../adapters/openshift/index.js';
import { call } from '../contract/adapter-stage.js';
import type { FakeOpenShift } from '../support/openshift.js';
import { ENVIRONMENT, KEY, type OpenShiftStage, onOpenShift } from '../support/openshift-stage.js';

interface Work {
  /** What is there before it. */
  before(adapter: OpenShiftAdapter): Promise<unknown>;
  run(adapter: OpenShiftAdapter): Promise<unknown>;
}

/** Everything that is there, without what is drawn or counted anew each time; of processes `observe` tells. */
const inventory = (fake: FakeOpenShift): string[] =>
  fake
    .inventory()
    .filter((name) => !/^Pod /.test(name))
    .map((name) => name.replace(/^(Build .*)-\d+$/, '$1-…'));

/** A gateway that dies at its `at`-th write, before the server hears of it or before the answer comes. False: it came to its end. */
async function dieAt(stage: OpenShiftStage, work: Work, at: number, how: 'cut' | 'cut-after'): Promise<boolean> {
  const adapter = await stage.again({ requestTimeout: 2 });
  let writes = 0;
  const free = stage.fake.interfere((seen) => {
    if (writes > at) return 'cut';
    if (seen.method === 'GET') return undefined;
    writes += 1;
    return writes > at ? how : undefined;
  });
  const done = await work.run(adapter).then(
    () => true,
    () => false,
  );
  free();
  await adapter.close();
  return writes > at && !done;
}

async function surviveEverywhere(stage: OpenShiftStage, work: Work): Promise<number> {
  const { fake, adapter } = stage;
  await work.before(adapter);
  await work.run(adapter);
  const expected = inventory(fake);
  const seen = JSON.stringify(await adapter.observe(call()));
  let deaths = 0;
  for (const how of ['cut', 'cut-after'] as const) {
    for (let at = 0; ; at += 1) {
      await work.before(adapter);
      if (!(await dieAt(stage, work, at, how))) break;
      deaths += 1;
      await work.run(await stage.again());
      expect([at, how, ...inventory(fake)]).toEqual([at, how, ...expected]);
      expect(JSON.stringify(await adapter.observe(call()))).toBe(seen);
    }
  }
  return deaths;
}

const works = (first: DeploymentSpec, second: DeploymentSpec): Record<string, Work> => ({
  'making an environment with a database': {
    before: (adapter) => adapter.deleteEnvironment(ENVIRONMENT, call()),
    run: (adapter) =>
      adapter.createEnvironment({ ...ENVIRONMENT, nodes: [{ name: 'mysql', contentType: 'database' }] }, call()),
  },
  'a first deploy': {
    before: (adapter) => adapter.undeploy(KEY, call()),
    run: (adapter) => adapter.deploy(first, call()),
  },
  'a start': {
    before: async (adapter) => {
      await adapter.deploy(first, call());
      await adapter.stop(KEY, call());
    },
    run: (adapter) => adapter.start(KEY, call()),
  },
  'a replacement of what runs': {
    before: async (adapter) => {
      await adapter.deploy(first, call());
      await adapter.start(KEY, call());
    },
    run: (adapter) => adapter.deploy(second, call()),
  },
  scaling: {
    before: async (adapter) => {
      await adapter.deploy(first, call());
      await adapter.start(KEY, call());
      await adapter.scale(KEY, 1, call());
    },
    run: (adapter) => adapter.scale(KEY, 2, call()),
  },
  'an undeploy': {
    before: async (adapter) => {
      await adapter.deploy(first, call());
      await adapter.start(KEY, call());
    },
    run: (adapter) => adapter.undeploy(KEY, call()),
  },
  'the end of an environment': {
    before: (adapter) => adapter.createEnvironment(ENVIRONMENT, call()),
    run: (adapter) => adapter.deleteEnvironment(ENVIRONMENT, call()),
  },
});

describe('a gateway that dies at any write, and another one that does the work again, leave what one would have', () => {
  test.each([
    'making an environment with a database',
    'a first deploy',
    'a start',
    'a replacement of what runs',
    'scaling',
    'an undeploy',
    'the end of an environment',
  ])(
    '%s',
    (name) =>
      onOpenShift(
        async (stage) => {
          const first = await stage.page('first');
          const second = await stage.page('second', { versionId: 2 });
          const work = works(first, second)[name];
          if (!work) throw new Error(`no work ${name}`);
          if (name !== 'making an environment with a database')
            await stage.adapter.createEnvironment(ENVIRONMENT, call());
          expect(await surviveEverywhere(stage, work)).toBeGreaterThan(1);
        },
        { fake: { second: 10 } },
      ),
    120_000,
  );
});
