import type { ServiceSettings } from '../../domain/conpaas.js';

/**
 * What a manager and its agents say to each other: HTTPS, JSON, paths below `/v1`. An agent announces the newest and the oldest
 * version that it speaks; a manager speaks its own and the previous one, because agents outlive an upgrade of the gateway.
 */
export const PROTOCOL = 1;
export const OLDEST_PROTOCOL = 1;

export interface Address {
  host: string;
  port: number;
}

/** What the application of an agent shall be. Applying the same again changes nothing. */
export interface DesiredApplication {
  /** Code that was sent before (`PUT /v1/code/{id}`). */
  codeVersionId: string;
  /** False: prepared (unpacked, dependencies installed) but stopped. */
  running: boolean;
  settings: ServiceSettings;
  /** Seconds until a new process must answer HTTP; default: the runtime's own, 60 for most. */
  startSeconds?: number;
  /** mysql: where the server listens. It has no code, and `codeVersionId` means nothing. */
  listen?: Address;
}

/**
 * `stopped`, `running` and `failed` rest. `replacing`: the old processes serve while new ones start. `restarting`: it died by itself
 * and is started again after a delay that grows. `failed`: the last start did not succeed and nothing runs.
 */
export type ApplicationPhase = 'stopped' | 'starting' | 'running' | 'replacing' | 'restarting' | 'stopping' | 'failed';

export interface ApplicationStatus {
  phase: ApplicationPhase;
  /** The one that serves, or was asked for last when nothing does. */
  codeVersionId?: string;
  /** Name of the runtime, e.g. `nodejs`. */
  runtime?: string;
  /** What is being done, for a person: `npm ci`, `waiting for an answer on port 23456`. */
  activity?: string;
  /** Of the first process of its group. */
  pid?: number;
  /** ISO time of the serving processes' start. */
  startedAt?: string;
  /** How often it died by itself since then. */
  restarts: number;
  /** Resident bytes of all its processes. */
  memoryBytes?: number;
  /** Why it failed or died last. */
  reason?: string;
  /** The last lines of its output when it failed. */
  lastLines?: string[];
}

/** The scripts that the archive of a generic service may hold, each as `NAME.sh`. */
export const SCRIPT_NAMES = ['init', 'notify', 'run', 'interrupt', 'cleanup'] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

/** A node of a generic service as scripts know it: an entry of their agents.json. */
export interface Peer {
  id: string;
  ip: string;
  role: string;
}

/**
 * What the scripts of a node of a generic service work with. The same again changes nothing; another code version ends what runs and
 * begins with `init.sh`; other peers are told to `notify.sh`.
 */
export interface ScriptTask {
  /** Code that was sent before. */
  codeVersionId: string;
  settings: ServiceSettings;
  /** Every node of the service, this one too. */
  peers: Peer[];
  /** Names of the folders that it shall have below its volumes. */
  volumes: string[];
}

/** What may be asked for; the others are for changes. `interrupt` ends what runs, a second one at once. */
export const SCRIPT_COMMANDS = ['run', 'interrupt', 'cleanup'] as const;
export type ScriptCommand = (typeof SCRIPT_COMMANDS)[number];

/** By file name: `NEVER STARTED`, `RUNNING`, `STOPPED (return code 0)`; a signal's number is negative. */
export type ScriptStatuses = Record<`${ScriptName}.sh`, string>;

/** The proxy role: the address at which people reach the service, and the backends behind it. */
export interface ProxyTask {
  /** A port that cannot be had is an AgentError `rejected` that says why. */
  listen: Address;
  /** Whether this agent's own application is one of the backends. */
  own: boolean;
  /** `backend` of the other agents. */
  backends: Address[];
}

export interface AgentStatus {
  agentId: string;
  protocol: number;
  oldestProtocol: number;
  uid: number;
  sid: number;
  pid: number;
  /** ISO time of the agent process's birth. */
  bornAt: string;
  /** Code versions that it holds. */
  code: string[];
  application: ApplicationStatus;
  /** What it was asked for last. */
  desired: DesiredApplication | null;
  proxy: (ProxyTask & { listening: boolean }) | null;
  /**
   * Where other agents' proxies reach its application: the same for the agent's whole life, whatever port the processes have.
   * While the application is not up, connections are reset there, so that a proxy goes to another backend.
   */
  backend: Address;
  /** Of a generic service's node; agents of older releases have none. */
  scripts?: ScriptStatuses;
}

/** Parts of the output: without a name everything in its order, `out` and `err` of scripts alone. */
export type OutputPart = 'out' | 'err';

export type AgentErrorKind =
  /** No answer: the agent is gone, or not up yet. */
  | 'unreachable'
  /** It did not show the certificate of this service's agent, or did not accept ours. */
  | 'unauthorized'
  /** What was asked for is impossible: an unknown code version, a bad archive, a port that is taken. Nothing was changed. */
  | 'rejected'
  /** The application's own fault: its dependencies, its start, its silence. What served before serves on. */
  | 'failed'
  /** A later request took this one's place. */
  | 'superseded'
  | 'internal';

/** Body of every answer that is not 2xx. */
export interface AgentErrorBody {
  error: { kind: AgentErrorKind; message: string; lastLines?: string[]; archive?: string };
}

export const ERROR_STATUS: Record<Exclude<AgentErrorKind, 'unreachable' | 'unauthorized'>, number> = {
  rejected: 400,
  superseded: 409,
  failed: 422,
  internal: 500,
};

/** `code-XXXXXX`, `code-default`, `git-1234567`: also a folder's name. */
export const CODE_VERSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** `iaas4`: also a folder's name. */
export const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
