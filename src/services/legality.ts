import { Fault } from '../domain/errors.js';
import type { Instance } from '../domain/model.js';
import { type InstanceAction, isLegal, isTransitional } from '../domain/states.js';

/** Throws Conflict, with what to do, when the instance's state does not allow the action. */
export function assertLegal(action: InstanceAction, instance: Instance): void {
  const what = describe(instance);
  if (action !== 'deploy' && action !== 'undeploy' && instance.envId === undefined) throw notDeployed(what);
  if (action !== 'deploy' && action !== 'undeploy' && instance.state === 'FAILED') assertWhole(instance);
  if (isLegal(action, instance.state)) return;
  if (instance.state === 'CREATED') throw notDeployed(what);
  const advice = isTransitional(instance.state)
    ? 'wait until that has ended, or cancel its task.'
    : `${action} is not possible.`;
  throw new Fault('Conflict', `${what} is ${instance.state}; ${advice}`);
}

type Place = Pick<Instance, 'appId' | 'versionId' | 'instanceId' | 'ref'>;

/** A first deploy that failed, and whose remains could not be removed, has left something that must not be taken for the application. */
export function assertWhole(instance: Place): void {
  if (instance.ref !== undefined) return;
  throw new Fault('Conflict', `${describe(instance)} was not deployed to its end; deploy it again, or undeploy it.`);
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
