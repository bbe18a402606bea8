import type { PlatformState } from '../../src/domain/states.js';
import type { ContainerStatus, Deployment, Pod } from './api-objects.js';

/** Why a process does not run, and whether waiting longer has a point. */
export interface Trouble {
  text: string;
  /** It will not go away by itself. */
  final: boolean;
  /** It seldom goes away by itself: worth a short wait only. */
  stubborn?: boolean;
  /** Where the last lines of a crashed process are. */
  log?: { pod: string; container: string; previous: boolean };
}

/** A process that ended so often is no longer starting: the first tries may lack a database that is starting as well. */
const CRASHES = 2;

const HOPELESS = new Set(['ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError']);
const TRYING = new Set([
  'ErrImagePull',
  'CreateContainerError',
  'RunContainerError',
  'RegistryUnavailable',
  'ErrImageInspect',
]);

/** From the cluster's words to ours. `pods` are those of the deployment. */
export function deploymentState(
  deployment: Deployment,
  pods: readonly Pod[],
): { state: PlatformState; reason?: string } {
  const wanted = deployment.spec.replicas ?? 1;
  const alive = pods.filter(isAlive);
  if (deployment.metadata.deletionTimestamp !== undefined) return { state: 'STOPPING' };
  // Pods end later than the Deployment's status says.
  if (wanted === 0)
    return { state: alive.length > 0 || (deployment.status?.replicas ?? 0) > 0 ? 'STOPPING' : 'STOPPED' };
  // While a new version comes up beside it, or fails to, the old one serves.
  if (isReady(deployment) || (deployment.status?.availableReplicas ?? 0) >= wanted) return { state: 'STARTED' };
  const trouble = troubleOf(deployment, pods);
  if (trouble && (trouble.final || hasTimedOut(deployment))) return { state: 'FAILED', reason: trouble.text };
  if (hasTimedOut(deployment)) return { state: 'FAILED', reason: 'the processes were not ready in time' };
  return { state: 'STARTING' };
}

/** Everything that is wanted runs, and nothing else. */
export function isReady(deployment: Deployment): boolean {
  const wanted = deployment.spec.replicas ?? 1;
  const status = deployment.status ?? {};
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  const seen = (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
  return seen && updatedReplicas >= wanted && availableReplicas >= wanted && replicas === updatedReplicas;
}

export function hasTimedOut(deployment: Deployment): boolean {
  const seen = (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
  return seen && conditionOf(deployment, 'Progressing')?.reason === 'ProgressDeadlineExceeded';
}

/** A pod that still holds processes. */
export function isAlive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** The worst that is to be seen: of the pods, or why there are none. */
export function troubleOf(deployment: Deployment, pods: readonly Pod[]): Trouble | undefined {
  const troubles = pods
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .flatMap((pod) => podTrouble(pod) ?? []);
  const worst = troubles.find((one) => one.final) ?? troubles[0];
  if (worst?.final) return worst;
  const refused = conditionOf(deployment, 'ReplicaFailure');
  if (refused?.status === 'True')
    return { text: refused.message ?? refused.reason ?? 'no pod can be made', final: false, stubborn: true };
  return worst;
}

function conditionOf(deployment: Deployment, type: string) {
  return deployment.status?.conditions?.find((one) => one.type === type);
}

export function podTrouble(pod: Pod): Trouble | undefined {
  if (pod.status?.phase === 'Failed') {
    const { reason = 'Failed', message } = pod.status;
    return { text: message ? `${reason}: ${message}` : `the pod failed (${reason})`, final: false };
  }
  const unscheduled = pod.status?.conditions?.find((one) => one.type === 'PodScheduled' && one.status === 'False');
  if (unscheduled)
    return {
      text: `${unscheduled.reason ?? 'Unschedulable'}: ${unscheduled.message ?? 'no node takes the pod'}`,
      final: false,
    };
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const troubles = statuses.flatMap((status) => containerTrouble(pod, status) ?? []);
  return troubles.find((one) => one.final) ?? troubles[0];
}

function containerTrouble(pod: Pod, status: ContainerStatus): Trouble | undefined {
  const waiting = status.state?.waiting;
  const restarts = status.restartCount ?? 0;
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (waiting?.reason === 'CrashLoopBackOff' || status.state?.terminated !== undefined) {
    const how = ended ? exitOf(ended) : 'it ended';
    return {
      text: `${waiting?.reason ?? 'Crash'}: ${how}${restarts > 0 ? `, ${restarts} restarts` : ''}`,
      final: restarts >= CRASHES,
      log: { pod: pod.metadata.name, container: status.name, previous: status.state?.terminated === undefined },
    };
  }
  if (waiting?.reason === undefined || waiting.reason === 'ContainerCreating' || waiting.reason === 'PodInitializing')
    return undefined;
  const text = waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason;
  if (HOPELESS.has(waiting.reason)) return { text, final: true };
  return { text, final: TRYING.has(waiting.reason) && restarts >= CRASHES };
}

function exitOf({
  exitCode,
  reason,
  signal,
  message,
}: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): string {
  const how = signal ? `killed by signal ${signal}` : `exited with status ${exitCode ?? 'unknown'}`;
  const why = reason && reason !== 'Error' ? ` (${reason})` : '';
  return `the process ${how}${why}${message ? `: ${message}` : ''}`;
}
