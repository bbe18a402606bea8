import { Cluster } from './cluster.js';
import { type Json, now, type Obj } from './objects.js';
import { need } from './resources.js';

export interface WorldSettings {
  /** Milliseconds that a second of the cluster takes: back-offs, grace times, probes, deadlines. */
  second: number;
  domain: string;
}

/** Switches for what goes wrong. Each is off (undefined, false, 0) at the start. */
export interface Trouble {
  /** New projects get their service accounts only when this ends. */
  withoutBuilder: boolean;
  /** So many binary builds are answered with 500, as when the builder's credentials are missing. */
  builderRefusals: number;
  /** Pods find no node. */
  unschedulable: boolean;
  /** Build pods are never made: the request for a build ends with 504. */
  withoutBuildPod: boolean;
  /** Builds fail with a log. */
  buildFails: boolean;
  /** Builds stay Running. */
  buildHangs: boolean;
  /** Images cannot be pulled. */
  pullFails: boolean;
  /** Processes exit with status 1 soon after their start. */
  crashes: boolean;
  /** Processes run and never answer. */
  neverReady: boolean;
  /** Projects stay Terminating. */
  stuckTerminating: boolean;
  /** Routers do not take new routes: the reason, e.g. HostAlreadyClaimed. */
  routeRefused?: string;
  /** Builds tell the digest of their image in the log only. */
  withoutDigest: boolean;
}

/** The cluster and what drives it: everything that controllers share. */
export class World {
  readonly cluster = new Cluster();
  readonly trouble: Trouble = {
    withoutBuilder: false,
    builderRefusals: 0,
    unschedulable: false,
    withoutBuildPod: false,
    buildFails: false,
    buildHangs: false,
    pullFails: false,
    crashes: false,
    neverReady: false,
    stuckTerminating: false,
    withoutDigest: false,
  };
  readonly settings: WorldSettings;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #controllers: (() => void)[] = [];
  #waiting = false;
  #closed = false;

  constructor(settings: WorldSettings) {
    this.settings = settings;
    this.cluster.onChange(() => this.wake());
  }

  /** Runs after every change, until nothing changes. */
  control(controller: () => void): void {
    this.#controllers.push(controller);
  }

  /** A controller looks a moment after a change, as a real one does. */
  wake(): void {
    if (this.#waiting || this.#closed) return;
    this.#waiting = true;
    this.after(0.02, () => {
      this.#waiting = false;
      for (const controller of this.#controllers) controller();
    });
  }

  /** After so many seconds of the cluster. Returns how to call it off. */
  after(seconds: number, work: () => void): () => void {
    if (this.#closed) return () => undefined;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) work();
    }, seconds * this.settings.second);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  event(object: Obj, reason: string, message: string, type: 'Normal' | 'Warning', source: Json): void {
    const { namespace = '', name, uid, resourceVersion } = object.metadata;
    if (!this.cluster.read('namespaces', undefined, namespace)) return;
    const time = now();
    this.cluster.insert(need('events'), {
      kind: 'Event',
      apiVersion: 'v1',
      // In the order in which they came.
      metadata: { name: `${name}.${this.cluster.version.toString(16).padStart(16, '0')}`, namespace },
      involvedObject: { kind: object.kind, namespace, name, uid, apiVersion: object.apiVersion, resourceVersion },
      reason,
      message,
      source,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: String(source['component'] ?? ''),
      reportingInstance: '',
    });
  }
}

export function owner({ apiVersion, kind, metadata }: Obj, blocks = false) {
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    ...(blocks ? { blockOwnerDeletion: true } : {}),
  };
}

/** Sets a condition as controllers do: the time of transition stays while the status does. */
export function condition(conditions: Json[], type: string, status: string, reason?: string, message?: string): Json[] {
  const time = now();
  const old = conditions.find((one) => one['type'] === type);
  if (old && old['status'] === status && old['reason'] === reason && old['message'] === message) return conditions;
  const made: Json = {
    type,
    status,
    lastUpdateTime: time,
    lastTransitionTime: old?.['status'] === status ? old['lastTransitionTime'] : time,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
  return [...conditions.filter((one) => one !== old), made];
}
