import { randomBytes } from 'node:crypto';
import type { Json, Obj } from './objects.js';
import type { Container } from './pod-status.js';
import type { Running } from './processes.js';

export interface LogLine {
  time: string;
  text: string;
}

/** A container of a pod, from its first start to the pod's end. */
export interface Life extends Container {
  running?: Running;
  log: LogLine[];
  previous?: LogLine[];
  listeners: Set<() => void>;
}

/** A pod that the node has taken. */
export interface Tenant {
  pod: Obj;
  startTime: string;
  lives: Life[];
  ending: boolean;
  over: boolean;
}

/** As a container runtime names what it made. */
export function newId(): string {
  return `containerd://${randomBytes(32).toString('hex')}`;
}

export function newLife(container: Json): Life {
  return {
    name: String(container['name']),
    image: String(container['image']),
    imageId: '',
    containerId: '',
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: {},
    ready: false,
    started: false,
    restarts: 0,
    log: [],
    listeners: new Set(),
  };
}
