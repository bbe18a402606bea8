import type { AdapterCall, DeploymentReport, PlatformAdapter } from '../../../adapters/adapter.js';
import { Fault } from '../../domain/errors.js';
import type { Application, Instance } from '../../domain/model.js';
import type { InstanceState } from '../../domain/states.js';
import type { StoreSession } from '../../store/store.js';
import { instanceOf } from '../access.js';
import { assertLegal, assertNotElsewhere, assertWhole } from '../legality.js';
import type { Runner, Write } from '../operations/runner.js';
import { adapterOf } from '../platforms.js';
import { changesFrom, deployedInstances, deploymentKey, undeployed } from '../specs.js';
import { overTargets, type RunnerParts, settleTargets, type Target, targetsOf } from './targets.js';

export type Verb = 'start' | 'stop' | 'restart' | 'scale' | 'undeploy';

/** On which instances: chosen when the work begins, because what waits before it may change them. */
export type Selection =
  | { of: 'instance'; appId: number; versionId: number; instanceId: number; envId?: number }
  /** The deployed ones of the newest deployed version; `tenant`: on that tenant's environments only. */
  | { of: 'application'; appId: number; tenant?: string }
  | { of: 'applicationOnEnvironment'; appId: number; envId: number }
  | { of: 'environment'; envId: number };

export interface LifecycleInput {
  verb: Verb;
  selection: Selection;
  processes?: number;
}

const TARGETS = 'targets';
const ON_THE_WAY: Partial<Record<Verb, InstanceState>> = {
  start: 'STARTING',
  stop: 'STOPPING',
  restart: 'STARTING',
  undeploy: 'UNDEPLOYING',
};
/** Already there: the state is not touched on the way. */
const GOAL: Partial<Record<Verb, InstanceState>> = { start: 'STARTED', stop: 'STOPPED' };

/** Start, stop, restart, scale and undeploy, of one instance or of many. */
export function lifecycleRunner(parts: RunnerParts): Runner {
  return {
    async run(run) {
      const input = run.operation.input as LifecycleInput;
      const { verb, processes = 1 } = input;
      const targets = await run.commit(TARGETS, (session) => begin(session, input));
      await overTargets(run, targets, async (target) => {
        const adapter = adapterOf(parts, target.platform);
        const key = deploymentKey(parts.installation, target, target.envId);
        const step = target === targets.at(-1) ? 'last' : 'step';
        if (verb === 'undeploy')
          return run[step](target.step, (call) => adapter.undeploy(key, call), asUndeployed(target));
        assertWhole(target);
        const work = (call: AdapterCall): Promise<DeploymentReport> => {
          if (verb === 'scale') return scale(adapter, target, () => adapter.scale(key, processes, call));
          return adapter[verb](key, call);
        };
        return run[step]<DeploymentReport>(target.step, work, (session, report) =>
          session.applications.updateInstance(target, changesFrom(report)),
        );
      });
    },
    settle: async (settling, fault) => {
      const { verb } = settling.operation.input as LifecycleInput;
      return settleTargets(parts, settling, settling.result<Target[]>(TARGETS) ?? [], fault, verb);
    },
  };
}

export function asUndeployed(target: Target): Write {
  return (session) => session.applications.updateInstance(target, undeployed());
}

function scale<T>(adapter: PlatformAdapter, { platform }: Target, work: () => Promise<T>): Promise<T> {
  if (adapter.capabilities.scale) return work();
  throw new Fault('NotSupported', `The platform ${platform} runs one process of each instance.`);
}

async function begin(session: StoreSession, { verb, selection }: LifecycleInput): Promise<Target[]> {
  const instances = await select(session, verb, selection);
  for (const instance of instances) {
    const state = instance.state === GOAL[verb] ? undefined : ON_THE_WAY[verb];
    if (state) await session.applications.updateInstance(instance, { state });
    // A deploy that failed has left no deployment: undeploying it only takes the failure back.
    if (instance.envId === undefined) await session.applications.updateInstance(instance, undeployed());
  }
  return targetsOf(
    session,
    verb,
    instances.filter((one) => one.envId !== undefined),
  );
}

async function select(session: StoreSession, verb: Verb, selection: Selection): Promise<Instance[]> {
  if (selection.of === 'environment') return session.applications.deployed({ envId: selection.envId });
  const { appId } = selection;
  const application = await session.applications.get(appId);
  if (!application) throw new Fault('NotFound', `There is no application ${appId}.`);
  if (selection.of === 'instance') return [selectOne(application, verb, selection)];
  const deployed = deployedInstances(application);
  if (selection.of === 'applicationOnEnvironment') {
    const there = deployed.filter((one) => one.envId === selection.envId);
    return notNone(there, `Application ${appId} is not deployed on environment ${selection.envId}.`);
  }
  const own = selection.tenant === undefined ? deployed : await onEnvironmentsOf(session, selection.tenant, deployed);
  const newest = Math.max(...own.map((one) => one.versionId));
  return notNone(
    own.filter((one) => one.versionId === newest),
    `Application ${appId} is not deployed; deploy it first.`,
  );
}

function selectOne(application: Application, verb: Verb, selection: Selection & { of: 'instance' }): Instance {
  const instance = instanceOf(application, selection.versionId, selection.instanceId);
  assertLegal(verb, instance);
  if (selection.envId !== undefined) assertNotElsewhere(instance, selection.envId);
  return instance;
}

async function onEnvironmentsOf(session: StoreSession, tenant: string, instances: Instance[]): Promise<Instance[]> {
  const kept: Instance[] = [];
  for (const instance of instances) {
    const environment = instance.envId === undefined ? undefined : await session.environments.get(instance.envId);
    if (environment?.tenant === tenant) kept.push(instance);
  }
  return kept;
}

function notNone(instances: Instance[], otherwise: string): Instance[] {
  if (instances.length > 0) return instances;
  throw new Fault('Conflict', otherwise);
}
