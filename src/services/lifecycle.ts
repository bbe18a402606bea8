import { Fault } from '../domain/errors.js';
import type { Application } from '../domain/model.js';
import type { Operation, StoreSession } from '../store/store.js';
import { instanceOf } from './access.js';
import type { Requester } from './context.js';
import { assertLegal, assertNotElsewhere } from './legality.js';
import {
  applicationLock,
  applicationLocks,
  environmentLocks,
  environmentsOf,
  instanceLock,
  instanceLocks,
} from './locks.js';
import type { LifecycleInput, Verb } from './runners/lifecycle.js';
import { deployedInstances } from './specs.js';

/**
 * Stores start, stop, restart, scale or undeploy. What the state forbids now is refused now, unless something else is still to happen
 * there first: then it waits its turn, and is judged when that comes.
 */
export async function enqueueLifecycle(
  session: StoreSession,
  { principal, requestId }: Pick<Requester, 'principal' | 'requestId'>,
  action: string,
  input: LifecycleInput,
  application?: Application,
): Promise<Operation> {
  const { verb, selection, processes } = input;
  if (application) await assertNow(session, application, input);
  const { of, ...targets } = selection;
  const { operation } = await session.operations.enqueue({
    ...{ action, input, requestId, tenant: principal.tenant, createdBy: principal.name },
    ...targets,
    locks: await locksOf(session, input, application),
    equal: [action, verb, processes ?? '', of, ...Object.values(targets)].join(':'),
  });
  return operation;
}

async function locksOf(session: StoreSession, { selection }: LifecycleInput, application: Application | undefined) {
  if (selection.of === 'environment') return environmentLocks(selection.envId);
  const envIds = application ? await environmentsOf(session, application) : [];
  if (selection.of !== 'instance') return applicationLocks(selection.appId, envIds);
  return instanceLocks(selection.appId, [selection.instanceId], envIds);
}

async function assertNow(
  session: StoreSession,
  application: Application,
  { verb, selection }: LifecycleInput,
): Promise<void> {
  const { appId } = application;
  if (selection.of === 'instance') {
    const waiting = await session.operations.pendingOn(instanceLock(appId, selection.instanceId));
    const wide = await session.operations.pendingOn(applicationLock(appId));
    const isBusy = waiting.length > 0 || wide.some((one) => one.instanceId === undefined);
    if (isBusy) return;
    const instance = instanceOf(application, selection.versionId, selection.instanceId);
    assertLegal(verb, instance);
    if (selection.envId !== undefined) assertNotElsewhere(instance, selection.envId);
    return;
  }
  if ((await session.operations.pendingOn(applicationLock(appId))).length > 0) return;
  assertDeployed(application, verb, selection.of === 'applicationOnEnvironment' ? selection.envId : undefined);
}

function assertDeployed(application: Application, verb: Verb, envId: number | undefined): void {
  const { appId } = application;
  const deployed = deployedInstances(application);
  if (envId === undefined ? deployed.length > 0 : deployed.some((one) => one.envId === envId)) return;
  const where = envId === undefined ? '' : ` on environment ${envId}`;
  const advice = verb === 'undeploy' ? '.' : '; deploy it first.';
  throw new Fault('Conflict', `Application ${appId} is not deployed${where}${advice}`);
}
