/** States of an instance: one deployment of an application version (api.md §2). */
export const INSTANCE_STATES = [
  'CREATED',
  'DEPLOYING',
  'STOPPED',
  'STARTING',
  'STARTED',
  'STOPPING',
  'UNDEPLOYING',
  'FAILED',
] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

/** What a platform reports of a deployment. `ABSENT`: the platform has no such object. */
export type PlatformState = 'STOPPED' | 'STARTING' | 'STARTED' | 'STOPPING' | 'FAILED' | 'ABSENT';

export type OperationState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export const TERMINAL_OPERATION_STATES: readonly OperationState[] = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

const TRANSITIONAL: readonly InstanceState[] = ['DEPLOYING', 'STARTING', 'STOPPING', 'UNDEPLOYING'];

/** Actions on one instance, and the states in which each is legal. An action that changes nothing is legal too. */
const LEGAL: Record<'deploy' | 'undeploy' | 'start' | 'stop' | 'restart' | 'scale', readonly InstanceState[]> = {
  deploy: ['CREATED', 'STOPPED', 'STARTED', 'FAILED'],
  undeploy: ['STOPPED', 'STARTED', 'STARTING', 'STOPPING', 'DEPLOYING', 'UNDEPLOYING', 'FAILED'],
  start: ['STOPPED', 'STARTED', 'FAILED'],
  stop: ['STOPPED', 'STARTED', 'STARTING', 'FAILED'],
  restart: ['STARTED', 'STOPPED', 'FAILED'],
  scale: ['STOPPED', 'STARTED', 'FAILED'],
};
export type InstanceAction = keyof typeof LEGAL;

export function isLegal(action: InstanceAction, state: InstanceState): boolean {
  return LEGAL[action].includes(state);
}

export function isTransitional(state: InstanceState): boolean {
  return TRANSITIONAL.includes(state);
}

/**
 * The state of an application over the deployed instances of its newest deployed version (api.md §2):
 * any FAILED, else any transitional one, else any STARTED, else STOPPED; none deployed is CREATED.
 */
export function applicationState(deployed: readonly InstanceState[]): InstanceState {
  if (deployed.length === 0) return 'CREATED';
  if (deployed.includes('FAILED')) return 'FAILED';
  const moving = deployed.find(isTransitional);
  if (moving) return moving;
  return deployed.includes('STARTED') ? 'STARTED' : 'STOPPED';
}
