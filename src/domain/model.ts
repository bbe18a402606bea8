import type { FaultCode } from './errors.js';
import type { Role } from './principal.js';
import type { InstanceState, OperationState } from './states.js';

/** An ISO 8601 instant in UTC, e.g. `2026-11-21T20:15:00.000Z`. */
export type Timestamp = string;

/** Bytes that a version carries: content-addressed, immutable. */
export interface Artefact {
  /** File name as given by the client or the descriptor, e.g. `petclinic.war`. Never a path. */
  name: string;
  /** Found in the content. `zip` is an application directory of any language. */
  type: 'war' | 'ear' | 'jar' | 'zip';
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
}

export interface Deployable {
  name: string;
  contentType: 'artifact' | 'folder';
  /** As sent; a URL, the name of a stored artefact, or a stranger's path that is never opened. */
  location?: string;
  multitenancyLevel?: string;
  artefact?: Artefact;
}

export interface Application {
  appId: number;
  name: string;
  description?: string;
  /** Name of the environment that the descriptor mentions. Stored, never an identity. */
  environmentName?: string;
  tenant: string;
  multitenant: boolean;
  createdBy: string;
  createdAt: Timestamp;
  versions: Version[];
}

export interface Version {
  appId: number;
  versionId: number;
  name?: string;
  label?: string;
  description?: string;
  createdAt: Timestamp;
  deployables: Deployable[];
  instances: Instance[];
}

/** One deployment: one URL and a number of processes. */
export interface Instance {
  appId: number;
  versionId: number;
  instanceId: number;
  name: string;
  description?: string;
  /** As in the descriptor; stored and never acts. */
  initialState?: string;
  defaultInstance?: boolean;
  state: InstanceState;
  /** Why it is FAILED, in the platform's words; with remarks, what was adapted (memory raised, version replaced). */
  reason?: string;
  remarks: string[];
  processes: number;
  /** MiB. */
  memory?: number;
  /** MiB. */
  disk?: number;
  /** The environment on which it is deployed. */
  envId?: number;
  /** Absolute URL at which it answers, e.g. `http://petclinic.example.org`. */
  uri?: string;
  /** The platform's own id of the deployment, opaque. */
  ref?: string;
  /** When the platform was last seen to say so. */
  observedAt?: Timestamp;
}

export type NodeContentType = 'container' | 'database' | 'router' | 'service';

/** A node of an environment's template: what the application needs. */
export interface EnvironmentNode {
  /** As sent, e.g. `JBOSSAS_7`, `tomcat`, `MYSQL_51`. */
  name: string;
  contentType: NodeContentType | (string & {});
  /** Empty or absent: any. */
  version?: string;
  provider?: string;
}

export interface Environment {
  envId: number;
  name: string;
  description?: string;
  template?: string;
  /** As sent. The base path wins over it. */
  provider?: string;
  /** Name of the configured platform, e.g. `CP`. */
  platform: string;
  tenant: string;
  createdBy: string;
  createdAt: Timestamp;
  /** MiB for each process of the applications deployed on it. */
  memory?: number;
  /** MiB. */
  disk?: number;
  nodes: EnvironmentNode[];
  variables: Record<string, string>;
  /** `CREATED` until something was deployed on it, then as its deployed instances. */
  state: InstanceState;
  remarks: string[];
  /** The platform's own id, once something was made there. */
  ref?: string;
}

/** What failed, as stored with an operation. */
export interface FaultRecord {
  code: FaultCode;
  message: string;
}

export interface Step {
  name: string;
  state: 'RUNNING' | 'DONE' | 'FAILED';
  startedAt: Timestamp;
  endedAt?: Timestamp;
  /** 0–100 within this step. */
  progress?: number;
  /** A remark for a person, e.g. `uploading 12 of 40 MiB`. */
  text?: string;
}

/** A task as clients see it: one durable operation. */
export interface Task {
  taskId: number;
  /** Key of the action, e.g. `deployApplication`. */
  action: string;
  state: OperationState;
  /** 0–100. */
  progress: number;
  steps: Step[];
  error?: FaultRecord;
  appId?: number;
  versionId?: number;
  instanceId?: number;
  envId?: number;
  tenant: string;
  createdBy: string;
  createdAt: Timestamp;
  startedAt?: Timestamp;
  endedAt?: Timestamp;
}

export interface User {
  /** The ConPaaS user id: from 1, never reused. */
  uid: number;
  name: string;
  role: Role;
  tenant: string;
  email?: string;
  firstName?: string;
  lastName?: string;
  affiliation?: string;
  uuid?: string;
  openid?: string;
  /** ConPaaS credits; one is an agent-hour. */
  credit: number;
  createdAt: Timestamp;
}

/** An API key: an alternative to the password for signed requests. The secret is shown once, at its creation. */
export interface ApiKey {
  keyId: string;
  user: string;
  label?: string;
  createdAt: Timestamp;
  secret?: string;
}

export interface AuditEvent {
  id: number;
  at: Timestamp;
  user: string;
  action: string;
  /** Path of the request. */
  target: string;
  status: number;
  requestId: string;
}

/** What a platform offers (`GET /environment/info`). */
export interface PlatformInformation {
  platform: string;
  adapter: string;
  containers: OfferedNode[];
  databases: OfferedNode[];
  services: OfferedNode[];
  memory?: { minimum?: number; maximum?: number; default?: number };
  /** Sentences for a person, e.g. which runtimes are missing and how to install them. */
  remarks: string[];
}

export interface OfferedNode {
  name: string;
  versions: string[];
}
