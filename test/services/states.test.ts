import fc from 'fast-check';
import { type Fault, isFault } from '../../src/domain/errors.js';
import type { Instance } from '../../src/domain/model.js';
import { type InstanceState, isLegal } from '../../src/domain/states.js';
import {
  ADA,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  NOTHING,
  openTestServices,
  site,
  type TestServices,
  uploadOf,
} from '../support/services.js';

/** What a user, or the world, may do to an application of two instances and two environments. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('deploy' as const),
    envId: fc.integer({ min: 1, max: 2 }),
    word: fc.constantFrom('a', 'b', 'c'),
  }),
  fc.record({ do: fc.constant('deployAgain' as const), envId: fc.integer({ min: 1, max: 2 }), version: fc.nat(2) }),
  fc.record({
    do: fc.constantFrom('start', 'stop', 'restart' as const),
    version: fc.nat(2),
    instanceId: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({ do: fc.constant('all' as const), verb: fc.constantFrom('start', 'stop', 'restart' as const) }),
  fc.record({ do: fc.constant('scale' as const), processes: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('undeploy' as const), envId: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ do: fc.constant('trouble' as const), application: fc.constantFrom('staging', 'crash', undefined) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('whatever is done in whatever order', () => {
  test('store and platform say the same, and nothing is refused without a reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
        const services = await openTestServices();
        try {
          await prepare(services);
          for (const one of steps) {
            const before = await instances(services);
            const fault = await attempt(services, one);
            await expectAgreement(services);
            expectJust(one, before, fault, await instances(services));
          }
        } finally {
          await services.close();
        }
      }),
      { numRuns: 25 },
    );
  });
});

async function prepare(services: TestServices): Promise<void> {
  for (const _ of [1, 2]) finished(await services.environments.create(as(ADA), 'MEM', environmentManifest()));
  await services.applications.create(ADA, applicationManifest(['One', 'Two']));
}

async function attempt(services: TestServices, one: Step): Promise<Fault | undefined> {
  try {
    await act(services, one);
    return undefined;
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  }
}

async function act(services: TestServices, one: Step): Promise<unknown> {
  const { deployments, actions, instances: some, platform } = services;
  switch (one.do) {
    case 'deploy':
      return deployments.deploy(as(ADA), { appId: 1, envId: one.envId }, uploadOf(services, await site(one.word)));
    case 'deployAgain':
      return deployments.deploy(
        as(ADA),
        { appId: 1, envId: one.envId, versionId: one.version + 1, instanceId: 1 },
        NOTHING,
      );
    case 'all':
      return actions.act(as(ADA), 1, one.verb);
    case 'scale':
      return actions.scale(as(ADA), 1, one.processes);
    case 'undeploy':
      return deployments.undeploy(as(ADA), { appId: 1, envId: one.envId });
    case 'trouble':
      if (one.application) platform.trouble.application = one.application;
      else delete platform.trouble.application;
      return undefined;
    default:
      return some.act(as(ADA), { appId: 1, versionId: one.version + 1, instanceId: one.instanceId }, one.do);
  }
}

async function instances({ store }: TestServices): Promise<Instance[]> {
  return ((await store.applications.get(1))?.versions ?? []).flatMap((version) => version.instances);
}

async function expectAgreement(services: TestServices): Promise<void> {
  const known = await instances(services);
  const deployed = known.filter((one) => one.envId !== undefined);
  const things = await services.platform.deployments(new AbortController().signal);
  expect(things.map((one) => one.id).sort()).toEqual(deployed.map((one) => one.ref).sort());
  for (const one of deployed) {
    const thing = things.find((other) => other.id === one.ref);
    expect(thing).toMatchObject({ envId: one.envId, instanceId: one.instanceId, processes: one.processes });
    expect(thing?.release?.versionId).toBe(one.versionId);
    if (one.state !== 'FAILED') expect(thing?.started ? 'STARTED' : 'STOPPED').toBe(one.state);
  }
  for (const one of known.filter((other) => other.envId === undefined)) {
    expect(['CREATED', 'FAILED']).toContain(one.state);
    expect(one).not.toHaveProperty('uri');
  }
}

const EXPECTED = new Set(['Conflict', 'NotFound', 'MissingParameter']);

/** A refusal is one that the API knows, and an action on one instance is refused or not as the table of states says. */
function expectJust(one: Step, before: Instance[], fault: Fault | undefined, after: Instance[]): void {
  if (fault) expect(EXPECTED).toContain(fault.code);
  if (one.do !== 'start' && one.do !== 'stop' && one.do !== 'restart') return;
  const same = (other: Instance) => other.versionId === one.version + 1 && other.instanceId === one.instanceId;
  const target = before.find(same);
  if (!target) expect(fault?.code).toBe('NotFound');
  else if (target.envId === undefined || !isLegal(one.do, target.state)) expect(fault?.code).toBe('Conflict');
  else if (!fault)
    expect(after.find(same)?.state).toBe((one.do === 'stop' ? 'STOPPED' : 'STARTED') satisfies InstanceState);
}
