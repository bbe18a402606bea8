import type { DeploymentReport, PlatformAdapter } from '../../../adapters/adapter.js';
import type { Fault } from '../../domain/errors.js';
import type { InstanceChanges } from '../../store/store.js';
import type { Settlement, Settling, Write } from '../operations/runner.js';
import { changesFrom, deploymentKey, isSameDeployment, undeployed } from '../specs.js';
import { conclude, type DeployInput, type DeployParts, type Prepared, stepsOf } from './deploy-plan.js';
import { look } from './targets.js';

/** One instance of a deploy that did not come to its end. */
interface Unfinished {
  input: DeployInput;
  instanceId: number;
  prepared: Prepared;
  adapter: PlatformAdapter | undefined;
  /** Why; absent when it was cancelled. */
  reason?: string;
}

/** Undoes a first deploy; of a replacement, finds out which version serves. */
export async function settleDeploys(parts: DeployParts, settling: Settling, fault: Fault): Promise<Settlement> {
  const input = settling.operation.input as DeployInput;
  const environment = await parts.store.environments.get(input.envId);
  const adapter = environment && parts.adapters.get(environment.platform);
  const settlements: Settlement[] = [];
  for (const instanceId of input.instanceIds) {
    const steps = stepsOf(input.instanceIds, instanceId);
    const prepared = settling.result<Prepared>(steps.prepare);
    if (!prepared || settling.result(steps.deploy) !== undefined) continue;
    const unfinished: Unfinished = { input, instanceId, prepared, adapter };
    if (!settling.cancelled) unfinished.reason = fault.message;
    const settle = prepared.first ? settleFirst : settleReplacement;
    settlements.push(await settle(parts, settling, unfinished));
  }
  return combined(settlements);
}

/** An adapter removes what its aborted deploy made; this makes sure, also after a crash in the middle of it. */
async function settleFirst(parts: DeployParts, settling: Settling, unfinished: Unfinished): Promise<Settlement> {
  const { input, instanceId, adapter, reason } = unfinished;
  const key = deploymentKey(parts.installation, { ...input, instanceId }, input.envId);
  try {
    if (!adapter) throw new Error('its platform is not configured now');
    await adapter.undeploy(key, settling.call());
    return { write: change(unfinished, withoutDeployment(reason)) };
  } catch (error) {
    const remains = `What the deploy has made may remain on the platform (${(error as Error).message}); undeploy the instance to remove it.`;
    return {
      write: change(unfinished, { state: 'FAILED', reason: `${reason ?? 'The deploy was cancelled.'} ${remains}` }),
      remains,
    };
  }
}

async function settleReplacement(parts: DeployParts, settling: Settling, unfinished: Unfinished): Promise<Settlement> {
  const { input, instanceId, prepared, adapter, reason } = unfinished;
  const key = deploymentKey(parts.installation, { ...input, instanceId }, input.envId);
  const reports = await look(adapter, settling);
  const report = reports?.find((one) => isSameDeployment(one.key, key));
  if (report && isTaken(report, unfinished)) {
    const write: Write = (session) => conclude(session, input, instanceId, prepared, report);
    return { write, remains: 'The new version had taken its place already, and serves.' };
  }
  if (prepared.holder === undefined) {
    // The same version again: what the platform says; without an answer, what was before.
    return { write: change(unfinished, report ? changesFrom(report) : { state: prepared.before }) };
  }
  const old = { appId: input.appId, versionId: prepared.holder, instanceId };
  return {
    write: async (session) => {
      await change(unfinished, withoutDeployment(reason))(session);
      if (report) await session.applications.updateInstance(old, changesFrom(report));
    },
  };
}

/** The platform holds the new version already, and had another one before. */
function isTaken({ versionId }: DeploymentReport, { input, prepared }: Unfinished): boolean {
  return prepared.holder !== undefined && versionId === input.versionId;
}

function withoutDeployment(reason: string | undefined): InstanceChanges {
  return reason === undefined ? undeployed() : { ...undeployed(), state: 'FAILED', reason };
}

function change({ input: { appId, versionId }, instanceId }: Unfinished, changes: InstanceChanges): Write {
  return (session) => session.applications.updateInstance({ appId, versionId, instanceId }, changes);
}

function combined(settlements: readonly Settlement[]): Settlement {
  const remains = settlements.flatMap((one) => one.remains ?? []).join(' ');
  return {
    write: async (session) => {
      for (const { write } of settlements) await write?.(session);
    },
    ...(remains === '' ? {} : { remains }),
  };
}
