import { Fault } from '../domain/errors.js';
import type { Instance } from '../domain/model.js';
import { type InstanceAction, isLegal, isTransitional } from '../domain/states.js';

/** Throws Conflict, with what to do, when the instance's state does not allow the action. */
export function assertLegal(action: InstanceAction, instance: Instance): void {
  const what = describe(instance);
  if (action !== 'deploy' && action !== 'undeploy' && instance.envId === undefined) throw notDeployed(what);
  if (isLegal(action, instance.state)) return;
  if (instance.state === 'CREATED') throw notDeployed(what);
  const advice = isTransitional(instance.state)
    ? 'wait until that has ended, or cancel its task.'
    : `${action} is not possible.`;
  throw new Fault('Conflict', `${what} is ${instance.state}; ${advice}`);
}

export function describe({
  appId,
  versionId,
  instanceId,
}: Pick<Instance, 'appId' | 'versionId' | 'instanceId'>): string {
  return `Instance ${instanceId} of version ${versionId} of application ${appId}`;
}

function notDeployed(what: string): Fault {
  return new Fault('Conflict', `${what} is not deployed; deploy it on an environment first.`);
}

/** One instance row is one deployment, so it can be in one place only. */
export function assertNotElsewhere(instance: Instance, envId: number): void {
  if (instance.envId === undefined || instance.envId === envId) return;
  throw new Fault(
    'Conflict',
    `${describe(instance)} is deployed on environment ${instance.envId}; undeploy it there first, or create another instance.`,
  );
}
