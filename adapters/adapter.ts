import type { Readable } from 'node:stream';
import type { Artefact, EnvironmentNode, OfferedNode } from '../src/domain/model.js';
import type { PlatformState } from '../src/domain/states.js';

/**
 * THE CONTRACT between the gateway and a platform. `test/contract/adapter.ts` is the suite that every adapter passes.
 *
 * Rules that hold for every method:
 * - *Idempotent.* Repeated after a crash with the same key it finds what the first run made, makes nothing twice and leaves nothing
 *   behind. Names and labels on the platform derive from `installation` and our ids; an object that does not carry both is a
 *   stranger's: never adopted, overwritten or deleted.
 * - *Re-reading.* What is returned is what the platform reports after the work, not what was asked for.
 * - *Abortable.* `call.signal` ends the wait soon; the method then rejects with the signal's reason or `AdapterError('cancelled')`.
 * - *Bounded.* Every wait ends by a limit, and the error says what it waited for.
 * - Faults are `AdapterError`s; anything else is a bug and becomes `Internal Failure`.
 */
export interface PlatformAdapter {
  /** What this platform can do, as data: drives 501, links, HEAD and the suite's refusal cases. */
  readonly capabilities: Capabilities;

  /** What the platform offers now. Throws `unavailable`, `unauthorized`, `timeout`. */
  info(call: AdapterCall): Promise<Offer>;

  /**
   * Makes what an environment needs on the platform (project, databases) and waits until it is usable. Already there: brought to
   * the given description and returned. Throws `rejected`, `quota`, `conflict` (a stranger holds the name), `not-supported`.
   */
  createEnvironment(environment: EnvironmentSpec, call: AdapterCall): Promise<EnvironmentReport>;

  /** Removes all that createEnvironment made, and waits until it is gone. Not there: done. */
  deleteEnvironment(environment: EnvironmentKey, call: AdapterCall): Promise<void>;

  /**
   * Brings the artefact onto the platform as the deployment `deployment.key`.
   * - First time: afterwards STOPPED, with ref and uri.
   * - The key is deployed already: *replaced*, same platform object, same uri; a started one stays started, without downtime where
   *   the platform can. When the new one fails, the old one serves on and the method throws.
   * - The same artefact and version are there already: nothing changes.
   * When a first deploy fails or is aborted, nothing that it made remains. Throws `failed` (staging: reason and log tail),
   * `rejected`, `quota`, `conflict`, `not-supported` (before anything is made).
   */
  deploy(deployment: DeploymentSpec, call: AdapterCall): Promise<DeploymentReport>;

  /** Removes the deployment, running or not, and waits until it is gone. Not there: done. */
  undeploy(key: DeploymentKey, call: AdapterCall): Promise<void>;

  /** Started when this returns: every process answers or is reported running. Already started: nothing changes. Throws `not-found`, `failed` (crash reason, last lines). */
  start(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport>;

  /** Stopped when this returns. Already stopped: nothing changes. Throws `not-found`. */
  stop(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport>;

  /** A started one is stopped and started; a stopped one is started. Throws as start. */
  restart(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport>;

  /** Sets the number of processes (≥ 1). A stopped deployment takes the number at its next start. Throws `not-found`, `quota`, `not-supported`. */
  scale(key: DeploymentKey, processes: number, call: AdapterCall): Promise<DeploymentReport>;

  /** Every deployment of this installation, in a number of calls that does not grow with theirs where the platform allows. */
  observe(call: AdapterCall): Promise<DeploymentReport[]>;

  /** Text of the application's output, oldest first. With `follow` the stream stays open until the signal aborts. Throws `not-found`, `not-supported`. */
  logs(key: DeploymentKey, options: LogOptions, call: AdapterCall): Promise<Readable>;

  /** Gives connections and timers back. What runs on the platform goes on. */
  close(): Promise<void>;
}

export interface Capabilities {
  /** Artefact types that can run. */
  artefacts: readonly Artefact['type'][];
  /** More than one process. */
  scale: boolean;
  logs: boolean;
  followLogs: boolean;
  /** Database nodes are provisioned and their credentials given to the applications. */
  databases: boolean;
  /** A new version takes the place of a running one without a failed request. */
  replaceWithoutDowntime: boolean;
}

/** What each call carries. */
export interface AdapterCall {
  signal: AbortSignal;
  /**
   * Tells what is being done, for the task that people watch. The name is stable and short (`upload`, `staging`, `route`), the same at
   * a repetition; `progress` is 0–100 within the step; `text` is for a person and holds no secret.
   */
  step(name: string, report?: { progress?: number; text?: string }): void;
}

export interface EnvironmentKey {
  /** The random 8-character id of this gateway's store. */
  installation: string;
  envId: number;
  /** The platform's own id from an earlier report, when there was one. A hint: matching is by installation and id. */
  ref?: string;
}

export interface EnvironmentSpec extends EnvironmentKey {
  name: string;
  nodes: readonly EnvironmentNode[];
  variables: Readonly<Record<string, string>>;
  /** MiB. */
  memory?: number;
  /** MiB. */
  disk?: number;
}

export interface EnvironmentReport {
  ref: string;
  /** What was adapted, as sentences for a person: the nearest version, a node that is ignored. */
  remarks: string[];
}

/** A deployment's identity: application, environment and instance number, not the version (api.md §2). */
export interface DeploymentKey {
  installation: string;
  appId: number;
  envId: number;
  instanceId: number;
  /** The platform's own id from an earlier report. A hint only. */
  ref?: string;
}

export interface DeploymentSpec {
  key: DeploymentKey;
  versionId: number;
  /** For names that people see (route, display name); never an identity. */
  applicationName: string;
  environment: EnvironmentSpec;
  artefact: ArtefactSource;
  /** ≥ 1. */
  processes: number;
  /** MiB for each process; raised to the runtime's floor with a remark. */
  memory?: number;
  /** MiB. */
  disk?: number;
}

export interface ArtefactSource extends Artefact {
  /** A fresh stream of all bytes, each time it is called (a retried upload needs a new one). */
  open(): Readable;
}

export interface DeploymentReport {
  key: DeploymentKey;
  /** The version that the platform holds, where it keeps it. */
  versionId?: number;
  ref: string;
  state: PlatformState;
  processes: number;
  /** Absolute URL, from the deploy on. */
  uri?: string;
  /** For FAILED: the platform's words. */
  reason?: string;
  remarks?: string[];
}

export interface LogOptions {
  /** How many recent lines come first. */
  lines: number;
  follow: boolean;
}

export interface Offer {
  containers: OfferedNode[];
  databases: OfferedNode[];
  services: OfferedNode[];
  memory?: { minimum?: number; maximum?: number; default?: number };
  remarks: string[];
}

export type AdapterErrorKind =
  /** The platform cannot be reached or answers 5xx: try again later. */
  | 'unavailable'
  /** A wait reached its limit; the message names what for. */
  | 'timeout'
  /** The platform refuses the gateway's credentials or rights. */
  | 'unauthorized'
  /** The platform refuses the request as such; the message says why. */
  | 'rejected'
  | 'quota'
  /** A name, route or resource is a stranger's; or a resource is just in another state. */
  | 'conflict'
  | 'not-found'
  | 'not-supported'
  /** The application's own fault: staging failed, it crashed, it never answered. The message has the reason and the last lines. */
  | 'failed'
  | 'cancelled';

export class AdapterError extends Error {
  override readonly name = 'AdapterError';
  readonly kind: AdapterErrorKind;
  /** Seconds. */
  readonly retryAfter?: number;

  constructor(kind: AdapterErrorKind, message: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter;
  }
}

/** One option of an adapter, as data: validation, redaction and `--help` derive from it. */
export interface OptionDefinition {
  name: string;
  type: 'string' | 'number' | 'boolean' | 'map';
  required?: boolean;
  /** Never shown in a log, an answer or an error. */
  secret?: boolean;
  default?: string | number | boolean | Record<string, unknown>;
  help: string;
}

export type AdapterOptions = Readonly<Record<string, unknown>>;

export interface AdapterContext {
  /** Name of the configured platform, e.g. `CF`. */
  platform: string;
  installation: string;
  /** Validated against the definition's options. */
  options: AdapterOptions;
  log: AdapterLog;
  /** To be told of each request to the platform, for the metrics. */
  onCall?: OnCall;
}

/** One request to a platform that has ended. `status` 0: without an answer. */
export type OnCall = (call: { method: string; status: number; seconds: number }) => void;

export interface AdapterLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What `registry.ts` lists: one per provider. */
export interface AdapterDefinition {
  name: string;
  /** One sentence for `--help`. */
  summary: string;
  options: readonly OptionDefinition[];
  create(context: AdapterContext): Promise<PlatformAdapter>;
  /** `coaps platform check`: logs in, looks for what deployments need, and says in plain words what is missing. */
  check?(context: AdapterContext, signal: AbortSignal): Promise<CheckResult[]>;
}

export interface CheckResult {
  ok: boolean;
  /** What was looked at, e.g. `organisation "acme"`. */
  subject: string;
  /** What was found, or what is missing and how to mend it. */
  text: string;
}
