import type { DeploymentReport, PlatformAdapter } from '../../../adapters/adapter.js';
import type { Fault } from '../../domain/errors.js';
import type { Instance } from '../../domain/model.js';
import type { InstanceState } from '../../domain/states.js';
import type { InstanceChanges, InstanceKey, StoreSession } from '../../store/store.js';
import { toFault } from '../faults.js';
import { LeaseLost } from '../operations/ending.js';
import type { Adapters, Run, Settlement, Settling } from '../operations/runner.js';
import { changesFrom, deploymentKey, isHalfMade, isSameDeployment, undeployed, VANISHED } from '../specs.js';
import { PartialFailure } from './partial-failure.js';

/** What a runner needs besides its run. */
export interface RunnerParts {
  adapters: Adapters;
  installation: string;
}

/** A deployed instance on which something is to be done, as it was when the work began. */
export interface Target extends InstanceKey {
  envId: number;
  platform: string;
  /** Name of its step. */
  step: string;
  before: { state: InstanceState; reason?: string };
  ref?: string;
}

/** The instances as targets; one alone has a step named by the verb alone. */
export async function targetsOf(
  session: StoreSession,
  verb: string,
  instances: readonly Instance[],
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const { appId, versionId, instanceId, envId, state, reason, ref } of instances) {
    const environment = envId === undefined ? undefined : await session.environments.get(envId);
    if (!environment) continue;
    const step = instances.length === 1 ? verb : `${verb} ${appId}.${versionId}.${instanceId}`;
    targets.push({
      ...{ appId, versionId, instanceId, envId: environment.envId, platform: environment.platform, step },
      before: { state, ...(reason === undefined ? {} : { reason }) },
      ...(ref === undefined ? {} : { ref }),
    });
  }
  return targets;
}

/** Works on every target, one after the other; those that fail do not keep the others from their turn. */
export async function overTargets(
  run: Run,
  targets: readonly Target[],
  work: (target: Target) => Promise<unknown>,
): Promise<void> {
  const failures = new Map<string, Fault>();
  for (const target of targets) {
    try {
      await work(target);
    } catch (error) {
      if (run.signal.aborted || error instanceof LeaseLost) throw error;
      failures.set(target.step, toFault(error, target.platform));
    }
  }
  if (failures.size > 0) throw new PartialFailure(failures, targets.length);
}

/**
 * The states of targets whose step did not come to its end: as the platform reports them. An application that does not start is FAILED,
 * in the platform's words; a platform that refuses or does not answer changes nothing.
 */
export async function settleTargets(
  { adapters, installation }: RunnerParts,
  settling: Settling,
  targets: readonly Target[],
  fault: Fault,
  verb: string,
): Promise<Settlement> {
  const open = targets.filter((target) => settling.result(target.step) === undefined);
  const looks = new Map<string, DeploymentReport[] | undefined>();
  for (const platform of new Set(open.map((target) => target.platform))) {
    looks.set(platform, await look(adapters.get(platform), settling));
  }
  const changes = open.map((target): [Target, InstanceChanges] => {
    const reports = looks.get(target.platform);
    const asBefore = { state: target.before.state, reason: target.before.reason ?? null };
    if (!reports) return [target, asBefore];
    const key = deploymentKey(installation, target, target.envId);
    const report = reports.find((one) => isSameDeployment(one.key, key));
    if (verb !== 'undeploy' && report && isHalfMade(target, report)) return [target, asBefore];
    const cause = settling.cancelled ? undefined : failureOf(fault, target);
    return [target, settled(report, verb, cause)];
  });
  return {
    write: async (session) => {
      for (const [target, change] of changes) await session.applications.updateInstance(target, change);
    },
    ...([...looks.values()].includes(undefined)
      ? { remains: 'The platform could not be asked what it holds now.' }
      : {}),
  };
}

/** Everything on the platform; undefined when it cannot be asked. */
export async function look(
  adapter: PlatformAdapter | undefined,
  settling: Settling,
): Promise<DeploymentReport[] | undefined> {
  return adapter?.observe(settling.call()).catch(() => undefined);
}

function failureOf(fault: Fault, { step }: Target): Fault | undefined {
  return fault instanceof PartialFailure ? fault.failures.get(step) : fault;
}

function settled(report: DeploymentReport | undefined, verb: string, cause: Fault | undefined): InstanceChanges {
  if (!report) return verb === 'undeploy' ? undeployed() : { state: 'FAILED', reason: VANISHED };
  const changes = changesFrom(report);
  const isDown = report.state !== 'STARTED' && report.state !== 'STARTING';
  const didNotStart = (verb === 'start' || verb === 'restart') && isDown && cause?.code === 'Conflict';
  return didNotStart ? { ...changes, state: 'FAILED', reason: cause.message } : changes;
}
