import type { Artefact, Deployable, EnvironmentNode } from '../domain/model.js';
import type { Role } from '../domain/principal.js';
import type { InstanceState, OperationState } from '../domain/states.js';
import type { ConpaasSchema } from './conpaas/schema.js';
import type { LockMode } from './store.js';

/**
 * The tables as Kysely sees them. Names are camelCase here and snake_case in the database. Column types are those that both databases
 * share: booleans are 0 and 1, times are ISO 8601 text, nested values are JSON text.
 */
export interface Schema extends ConpaasSchema {
  settings: SettingsTable;
  counters: CountersTable;
  applications: ApplicationsTable;
  versions: VersionsTable;
  deployables: DeployablesTable;
  instances: InstancesTable;
  environments: EnvironmentsTable;
  operations: OperationsTable;
  operationLocks: OperationLocksTable;
  operationSteps: OperationStepsTable;
  users: UsersTable;
  apiKeys: ApiKeysTable;
  auditEvents: AuditEventsTable;
}

/** JSON text of `T`. */
export type Json<T> = string & { readonly json?: T };

export interface SettingsTable {
  name: string;
  value: string;
}

/** The last number given out by each counter: a number is never given twice, whatever is deleted. */
export interface CountersTable {
  name: string;
  value: number;
}

export interface ApplicationsTable {
  appId: number;
  name: string;
  description: string | null;
  environmentName: string | null;
  tenant: string;
  multitenant: number;
  createdBy: string;
  createdAt: string;
  /** The last versionId given out. */
  lastVersion: number;
}

export interface VersionsTable {
  appId: number;
  versionId: number;
  name: string | null;
  label: string | null;
  description: string | null;
  createdAt: string;
  /** The last instanceId given out. */
  lastInstance: number;
}

export interface DeployablesTable {
  appId: number;
  versionId: number;
  /** Order within the version, from 1. */
  position: number;
  name: string;
  contentType: Deployable['contentType'];
  location: string | null;
  multitenancyLevel: string | null;
  /** The four of an artefact are null together. */
  artefactName: string | null;
  artefactType: Artefact['type'] | null;
  artefactSize: number | null;
  sha256: string | null;
}

export interface InstancesTable {
  appId: number;
  versionId: number;
  instanceId: number;
  name: string;
  description: string | null;
  initialState: string | null;
  defaultInstance: number | null;
  state: InstanceState;
  reason: string | null;
  remarks: Json<string[]>;
  processes: number;
  memory: number | null;
  disk: number | null;
  envId: number | null;
  uri: string | null;
  ref: string | null;
  observedAt: string | null;
}

export interface EnvironmentsTable {
  envId: number;
  name: string;
  description: string | null;
  template: string | null;
  provider: string | null;
  platform: string;
  tenant: string;
  createdBy: string;
  createdAt: string;
  memory: number | null;
  disk: number | null;
  nodes: Json<EnvironmentNode[]>;
  variables: Json<Record<string, string>>;
  remarks: Json<string[]>;
  ref: string | null;
}

export interface OperationsTable {
  taskId: number;
  action: string;
  state: OperationState;
  progress: number;
  input: Json<unknown>;
  equalKey: string | null;
  platform: string | null;
  appId: number | null;
  versionId: number | null;
  instanceId: number | null;
  envId: number | null;
  tenant: string;
  createdBy: string;
  requestId: string | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  errorCode: string | null;
  errorMessage: string | null;
  attempts: number;
  cancelRequested: number;
  leaseOwner: string | null;
  /** Seconds since 1970 by the database's clock. */
  leaseUntil: number | null;
}

/** Rows exist as long as their operation is not terminal. */
export interface OperationLocksTable {
  taskId: number;
  resource: string;
  mode: LockMode;
}

export interface OperationStepsTable {
  taskId: number;
  name: string;
  /** Order of first appearance, from 1. */
  position: number;
  state: 'RUNNING' | 'DONE' | 'FAILED';
  startedAt: string;
  endedAt: string | null;
  progress: number | null;
  text: string | null;
  /** Null: not journalled. */
  result: Json<unknown> | null;
}

export interface UsersTable {
  uid: number;
  name: string;
  /** The name folded to one form of case and width: unique, also among deleted users. */
  nameKey: string;
  role: Role;
  tenant: string;
  email: string | null;
  emailKey: string | null;
  firstName: string | null;
  lastName: string | null;
  affiliation: string | null;
  uuid: string | null;
  openid: string | null;
  credit: number;
  createdAt: string;
  passwordHash: string | null;
  deletedAt: string | null;
}

export interface ApiKeysTable {
  keyId: string;
  uid: number;
  label: string | null;
  createdAt: string;
  sealed: string;
}

export interface AuditEventsTable {
  id: number;
  at: string;
  user: string;
  action: string;
  target: string;
  status: number;
  requestId: string;
}
