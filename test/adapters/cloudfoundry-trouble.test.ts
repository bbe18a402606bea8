import type { DeploymentReport, PlatformAdapter } from '../../adapters/adapter.js';
import { call } from '../contract/adapter-stage.js';
import type { Fault } from '../support/cloudfoundry/trouble.js';
import { deploymentOf, environmentOf, openScenery, type Scenery } from '../support/cloudfoundry-bench.js';

const QUICK = { pollInterval: 0.003, settleTime: 0.005, patience: 0.4 };
const ENVIRONMENT = environmentOf({ variables: { GREETING: 'hello' } });
const WITH_DATABASE = { ...ENVIRONMENT, nodes: [{ name: 'mysql', contentType: 'database' }] };

/** What a gateway does, from what it did before. */
interface Life {
  before?: (adapter: PlatformAdapter) => Promise<unknown>;
  run: (adapter: PlatformAdapter) => Promise<unknown>;
}

const one = (environment = ENVIRONMENT) => deploymentOf('one', { environment });
const two = () => deploymentOf('two', { environment: ENVIRONMENT, versionId: 2 });
const deploy = async (adapter: PlatformAdapter) => adapter.deploy(await one(), call());
const deployAll = async (adapter: PlatformAdapter) => adapter.deploy(await one(WITH_DATABASE), call());
const start = async (adapter: PlatformAdapter) => adapter.start((await one()).key, call());
const started = async (adapter: PlatformAdapter) => {
  await deploy(adapter);
  await start(adapter);
};
const LIVES: Record<string, Life> = {
  createEnvironment: { run: (adapter) => adapter.createEnvironment(WITH_DATABASE, call()) },
  deploy: { run: deployAll },
  start: { before: deploy, run: start },
  'redeploy, stopped': { before: deploy, run: async (adapter) => adapter.deploy(await two(), call()) },
  'redeploy, started': { before: started, run: async (adapter) => adapter.deploy(await two(), call()) },
  scale: { before: started, run: async (adapter) => adapter.scale((await one()).key, 3, call()) },
  restart: { before: started, run: async (adapter) => adapter.restart((await one()).key, call()) },
  stop: { before: started, run: async (adapter) => adapter.stop((await one()).key, call()) },
  undeploy: { before: deployAll, run: async (adapter) => adapter.undeploy((await one()).key, call()) },
  deleteEnvironment: {
    before: async (adapter) => adapter.createEnvironment(WITH_DATABASE, call()),
    run: (adapter) => adapter.deleteEnvironment(ENVIRONMENT, call()),
  },
};

const FAULTS: [string, Fault][] = [
  ['a connection that is cut before', { kind: 'cut', when: 'before' }],
  ['a connection that is cut after the work', { kind: 'cut', when: 'after' }],
  ['a 502 before', { kind: 'bad gateway', when: 'before' }],
  ['a 502 after the work', { kind: 'bad gateway', when: 'after' }],
  ['a token that has expired', { kind: 'expired token' }],
  ['a rate limit', { kind: 'limited', seconds: 0 }],
  ['an answer that is slow', { kind: 'slow', milliseconds: 30 }],
];

let scenery: Scenery;
beforeAll(async () => {
  scenery = await openScenery({ pace: 0.0003 }, QUICK);
});
afterAll(() => scenery?.close());

// A test that failed leaves its things to none of the others.
afterEach(() => clear());

async function clear(): Promise<void> {
  const { adapter, fake } = scenery;
  fake.trouble.clear();
  await adapter.undeploy((await one()).key, call());
  await adapter.deleteEnvironment(ENVIRONMENT, call());
  expect(fake.inventory()).toEqual([]);
}

/** What there is on the platform, and what the adapter says of it, without what is random. */
async function outcome() {
  const { adapter, fake } = scenery;
  const reports = await adapter.observe(call());
  const shown = reports.map(({ ref: _ref, key: { ref: _hint, ...key }, ...rest }: DeploymentReport) => ({
    ...rest,
    key,
  }));
  // Staged and rolled out once each, too.
  const { apps, builds, deployments } = fake.world;
  const ofNow = (all: { app: (typeof apps)[0] }[]) => all.filter(({ app }) => apps.includes(app)).length;
  return { inventory: fake.inventory(), reports: shown, builds: ofNow(builds), deployments: ofNow(deployments) };
}

/** The outcome of a life in which nothing goes wrong, and the kinds of request that it makes. */
async function undisturbed({ before, run }: Life) {
  await before?.(scenery.adapter);
  const first = scenery.fake.requests.length;
  await run(scenery.adapter);
  const kinds = [...new Set(scenery.fake.requests.slice(first).map((line) => line.replace(GUID, 'GUID')))];
  const end = await outcome();
  await clear();
  return { end, kinds };
}

const GUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const asPattern = (kind: string) => new RegExp(`^${kind.replaceAll('GUID', '[0-9a-f-]{36}')}$`);

describe.each(Object.entries(LIVES))('%s', (_name, life) => {
  let wanted: Awaited<ReturnType<typeof undisturbed>>;
  beforeAll(async () => {
    wanted = await undisturbed(life);
  });

  test.each(FAULTS)('gets over %s, once at each kind of its requests', async (_fault, fault) => {
    const { adapter, fake } = scenery;
    await life.before?.(adapter);
    const before = fake.trouble.happened.length;
    for (const kind of wanted.kinds) fake.trouble.plan({ fault, on: asPattern(kind) });
    await life.run(adapter);
    // Some kinds are not asked for when the answer before them was lost.
    expect(fake.trouble.happened.length - before).toBeGreaterThanOrEqual(Math.floor(wanted.kinds.length / 3));
    fake.trouble.clear();
    expect(await outcome()).toEqual(wanted.end);
  });

  test('is finished by the next gateway when the first one dies at any kind of its requests', async () => {
    const { fake, again } = scenery;
    const next = await again();
    for (const kind of wanted.kinds) {
      await life.before?.(next);
      const dying = await again();
      fake.trouble.dieAt(asPattern(kind));
      await expect({
        kind,
        died: await life.run(dying).then(
          () => 'no',
          () => 'yes',
        ),
      }).toEqual({ kind, died: 'yes' });
      fake.trouble.clear();
      await life.run(next);
      expect({ kind, ...(await outcome()) }).toEqual({ kind, ...wanted.end });
      await clear();
    }
  });
});
