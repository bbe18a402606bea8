import { podSpec } from './defaults.js';
import { type Json, now, type Obj } from './objects.js';
import { podStatus, unschedulable } from './pod-status.js';
import { REGISTRY } from './registry.js';
import { owner } from './world.js';

const IMAGE = `${REGISTRY}/openshift/builder:latest`;

/** The pod of a build: no node of ours runs it, its build does what it would do. */
export function buildPod(build: Obj, isStuck: boolean): Obj {
  const { namespace = '', name } = build.metadata;
  const container = (one: string) => ({ name: one, image: IMAGE, resources: {}, imagePullPolicy: 'IfNotPresent' });
  const spec: Json = {
    initContainers: ['git-clone', 'manage-dockerfile'].map(container),
    containers: [container('sti-build')],
    restartPolicy: 'Never',
    activeDeadlineSeconds: 604_800,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
  };
  podSpec(spec);
  const pod: Obj = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `${name}-build`,
      namespace,
      labels: { 'openshift.io/build.name': name },
      annotations: {
        'openshift.io/build.name': name,
        'openshift.io/scc': 'privileged',
        'security.openshift.io/validated-scc-subject-type': 'user',
      },
      ownerReferences: [owner(build)],
    },
    spec,
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  };
  return isStuck ? { ...pod, status: unschedulable(pod) } : pod;
}

export function buildPodStatus(pod: Obj, phase: 'Running' | 'Succeeded' | 'Failed'): Json {
  const time = now();
  const containerID = `containerd://${'0'.repeat(64)}`;
  const exitCode = phase === 'Failed' ? 1 : 0;
  const reason = phase === 'Failed' ? 'Error' : 'Completed';
  const told = phase === 'Failed' ? { message: 'build error' } : {};
  const terminated = { exitCode, reason, ...told, startedAt: time, finishedAt: time, containerID };
  const container = {
    name: 'sti-build',
    image: IMAGE,
    imageId: IMAGE,
    containerId: containerID,
    state: phase === 'Running' ? { running: { startedAt: time } } : { terminated },
    lastState: {},
    ready: phase === 'Running',
    started: phase === 'Running',
    restarts: 0,
  };
  return podStatus(pod, {
    phase,
    containers: [container],
    address: true,
    startTime: String(pod.metadata.creationTimestamp),
  });
}
