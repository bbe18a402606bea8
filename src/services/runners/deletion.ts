import type { AdapterCall } from '../../../adapters/adapter.js';
import type { Instance } from '../../domain/model.js';
import type { Store, StoreSession } from '../../store/store.js';
import type { Runner } from '../operations/runner.js';
import { adapterOf } from '../platforms.js';
import { deploymentKey } from '../specs.js';
import { asUndeployed } from './lifecycle.js';
import { PartialFailure } from './partial-failure.js';
import { overTargets, type RunnerParts, settleTargets, type Target, targetsOf } from './targets.js';

/** What is to be deleted: whole applications, one version, or one instance. */
export interface DeletionInput {
  appIds: number[];
  versionId?: number;
  instanceId?: number;
}

const TARGETS = 'targets';
const AT_ONCE = 100;

/** Undeploys what is deployed of it, then forgets it. What is gone already is as good as deleted. */
export function deletionRunner(parts: RunnerParts & { store: Store }): Runner {
  return {
    async run(run) {
      const input = run.operation.input as DeletionInput;
      const targets = await run.commit(TARGETS, (session) => begin(session, input));
      const undeploy = (target: Target) => {
        const key = deploymentKey(parts.installation, target, target.envId);
        const work = (call: AdapterCall) => adapterOf(parts, target.platform).undeploy(key, call);
        return run.step(target.step, work, asUndeployed(target));
      };
      const failure = await overTargets(run, targets, undeploy).catch((error: unknown) => {
        if (error instanceof PartialFailure) return error;
        throw error;
      });
      const kept = new Set(targets.filter((one) => failure?.failures.has(one.step)).map((one) => one.appId));
      const appIds = input.appIds.filter((appId) => !kept.has(appId));
      await run.last(failure ? 'delete the others' : 'delete', () => forgetAll(parts.store, { ...input, appIds }));
      if (failure) throw failure;
    },
    settle: (settling, fault) =>
      settleTargets(parts, settling, settling.result<Target[]>(TARGETS) ?? [], fault, 'undeploy'),
  };
}

async function begin(session: StoreSession, input: DeletionInput): Promise<Target[]> {
  const deployed = (await session.applications.deployed({ appIds: input.appIds })).filter((one) => isMeant(input, one));
  for (const one of deployed) await session.applications.updateInstance(one, { state: 'UNDEPLOYING' });
  return targetsOf(session, 'undeploy', deployed);
}

function isMeant({ versionId, instanceId }: DeletionInput, instance: Instance): boolean {
  if (versionId !== undefined && versionId !== instance.versionId) return false;
  return instanceId === undefined || instanceId === instance.instanceId;
}

/** A part at a time, with room for everybody else in between. What is gone stays gone, so a repetition does no harm. */
async function forgetAll(store: Store, input: DeletionInput): Promise<void> {
  for (let at = 0; at < input.appIds.length; at += AT_ONCE) {
    const appIds = input.appIds.slice(at, at + AT_ONCE);
    await store.transaction((session) => forget(session, { ...input, appIds }));
    await new Promise(setImmediate);
  }
}

async function forget({ applications }: StoreSession, { appIds, versionId, instanceId }: DeletionInput): Promise<void> {
  for (const appId of appIds) {
    if (versionId === undefined) await applications.delete(appId);
    else if (instanceId === undefined) await applications.deleteVersion(appId, versionId);
    else await applications.deleteInstance({ appId, versionId, instanceId });
  }
}
