import { createHash } from 'node:crypto';
import { type Json, now, type Obj } from './objects.js';

/** One container of a pod, as the node sees it. */
export interface Container {
  name: string;
  image: string;
  /** Digest reference, once pulled. */
  imageId: string;
  containerId: string;
  state: Json;
  lastState: Json;
  ready: boolean;
  started: boolean;
  restarts: number;
}

export interface Stage {
  phase: string;
  containers: readonly Container[];
  /** The network is there. */
  address: boolean;
  startTime: string;
}

/** The status that a node writes. */
export function podStatus(pod: Obj, { phase, containers, address, startTime }: Stage): Json {
  const old = ((pod.status?.['conditions'] as Json[]) ?? []) as {
    type: string;
    status: string;
    lastTransitionTime: unknown;
  }[];
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const unready = containers.filter((one) => !one.ready).map((one) => one.name);
  const isReady = unready.length === 0 && !isOver;
  const why: Json = isOver
    ? { reason: phase === 'Failed' ? 'PodFailed' : 'PodCompleted' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const condition = (type: string, is: boolean, more: Json = {}): Json => {
    const status = is ? 'True' : 'False';
    const before = old.find((one) => one.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now();
    return { type, status, lastProbeTime: null, lastTransitionTime, ...more };
  };
  const ip = addressOf(pod);
  return {
    phase,
    conditions: [
      condition('PodReadyToStartContainers', address && !isOver),
      condition('Initialized', true, phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}),
      condition('Ready', isReady, isReady ? {} : why),
      condition('ContainersReady', isReady, isReady ? {} : why),
      condition('PodScheduled', true),
    ],
    hostIP: '192.0.2.10',
    hostIPs: [{ ip: '192.0.2.10' }],
    ...(address ? { podIP: ip, podIPs: [{ ip }] } : {}),
    startTime,
    containerStatuses: containers.map((one) => containerStatus(pod, one)),
    qosClass: String(pod.status?.['qosClass'] ?? 'BestEffort'),
  };
}

function containerStatus(
  pod: Obj,
  { name, image, imageId, containerId, state, lastState, ready, restarts, started }: Container,
): Json {
  const spec = ((pod.spec?.['containers'] as Json[]) ?? []).find((one) => one['name'] === name);
  const resources = (spec?.['resources'] ?? {}) as Json;
  const isRunning = state['running'] !== undefined;
  return {
    name,
    state,
    lastState,
    ready,
    restartCount: restarts,
    image,
    imageID: imageId,
    ...(containerId === '' ? {} : { containerID: containerId }),
    started,
    ...(isRunning && resources['requests'] ? { allocatedResources: resources['requests'] } : {}),
    ...(isRunning || containerId !== '' ? { resources } : {}),
    volumeMounts: [
      {
        name: 'kube-api-access-fake1',
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
        readOnly: true,
        recursiveReadOnly: 'Disabled',
      },
    ],
  };
}

export function unschedulable(pod: Obj): Json {
  const text =
    '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: now(),
    reason: 'Unschedulable',
    message: text,
  };
  return { phase: 'Pending', conditions: [condition], qosClass: String(pod.status?.['qosClass'] ?? 'BestEffort') };
}

export function addressOf(pod: Obj): string {
  const [a = 0] = createHash('sha256')
    .update(pod.metadata.uid ?? '')
    .digest();
  return `10.128.0.${a}`;
}
