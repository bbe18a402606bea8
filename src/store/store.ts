import type { Readable } from 'node:stream';
import type { ConpaasStore } from '../domain/conpaas.js';
import type {
  ApiKey,
  Application,
  Artefact,
  AuditEvent,
  Deployable,
  Environment,
  FaultRecord,
  Instance,
  Step,
  Task,
  Timestamp,
  User,
  Version,
} from '../domain/model.js';
import type { Revisions } from '../domain/revisions.js';
import type { OperationState } from '../domain/states.js';
import type { ApplicationSummary } from '../domain/views.js';

/**
 * What is kept. One implementation over Kysely for SQLite and PostgreSQL; `test/contract/store.ts` is its suite.
 * Methods of one session run in one transaction; a method called outside of `transaction` is a transaction of its own.
 */
export interface StoreSession {
  applications: ApplicationStore;
  environments: EnvironmentStore;
  operations: OperationStore;
  users: UserStore;
  audit: AuditStore;
  conpaas: ConpaasStore;
}

export interface Store extends StoreSession {
  /** 8 random lower-case characters `[a-z0-9]`, the first a letter; made by the first migration, stands in every name and label on a platform. */
  readonly installation: string;
  /**
   * Runs `work` in one write transaction. It must await nothing but the session that it gets: SQLite is one connection, so waiting for
   * anything else holds up everybody, and calling the store itself in there waits for ever. On PostgreSQL it runs again when another
   * transaction had to win, so it changes nothing but the session.
   */
  transaction<T>(work: (session: StoreSession) => Promise<T>): Promise<T>;
  /** For those who keep what they read. */
  readonly revisions: Revisions;
  close(): Promise<void>;
}

/** Whose resources a reader may see. `tenant` absent: all (an admin). */
export interface Scope {
  tenant?: string;
}
export type Paging = { name?: string; page?: number; pageSize?: number };

/** `instanceId`: the number that it must have (a copy of another version's instance); taken: Fault Conflict. Absent: the next one. */
export type NewInstance = Pick<Instance, 'name' | 'processes'> &
  Partial<Pick<Instance, 'instanceId' | 'description' | 'initialState' | 'defaultInstance' | 'memory' | 'disk'>>;
export type NewVersion = Partial<Pick<Version, 'name' | 'label' | 'description'>> & {
  deployables: Deployable[];
  instances: NewInstance[];
};
export type NewApplication = Pick<Application, 'name' | 'tenant' | 'multitenant' | 'createdBy'> &
  Partial<Pick<Application, 'description' | 'environmentName'>> & { versions: NewVersion[] };

export interface InstanceKey {
  appId: number;
  versionId: number;
  instanceId: number;
}

/** `null` removes a value; absent leaves it. Updating or deleting what is gone changes nothing. */
export type InstanceChanges = {
  [K in 'state' | 'processes' | 'remarks']?: Instance[K];
} & { [K in 'reason' | 'envId' | 'uri' | 'ref' | 'observedAt' | 'memory' | 'disk']?: Instance[K] | null };

export interface ApplicationStore {
  /** With all nested versions and instances. appId: one counter, never reused; versionId and instanceId: 1, 2, 3 … within their parent, never reused. */
  create(application: NewApplication): Promise<Application>;
  get(appId: number): Promise<Application | undefined>;
  /** By appId, from a cursor. An own tenant's and multitenant ones. */
  list(scope: Scope, paging?: Paging): AsyncIterable<ApplicationSummary>;
  update(
    appId: number,
    changes: Partial<Pick<Application, 'name' | 'description' | 'multitenant' | 'environmentName'>>,
  ): Promise<void>;
  delete(appId: number): Promise<void>;
  addVersion(appId: number, version: NewVersion): Promise<Version>;
  deleteVersion(appId: number, versionId: number): Promise<void>;
  addInstance(appId: number, versionId: number, instance: NewInstance): Promise<Instance>;
  deleteInstance(key: InstanceKey): Promise<void>;
  /** Gives the first deployable of type `artifact` its artefact, or adds a deployable with the artefact's name. */
  setArtefact(appId: number, versionId: number, artefact: Artefact): Promise<void>;
  updateInstance(key: InstanceKey, changes: InstanceChanges): Promise<void>;
  /** Every instance with an envId, by application. */
  deployed(filter?: { envId?: number; appIds?: readonly number[] }): Promise<Instance[]>;
  /** Those that are on a platform, by application, from a cursor. */
  deployedOn(platform: string): AsyncIterable<Instance>;
  /** The artefact of this file name that a version of the tenant's got last. */
  artefactNamed(tenant: string, name: string): Promise<Artefact | undefined>;
  /** SHA-256 of every artefact that a version holds. */
  artefactsInUse(): Promise<Set<string>>;
}

export type NewEnvironment = Omit<Environment, 'envId' | 'createdAt' | 'state' | 'remarks' | 'ref'>;

export interface EnvironmentStore {
  /** envId: one counter, never reused. */
  create(environment: NewEnvironment): Promise<Environment>;
  get(envId: number): Promise<Environment | undefined>;
  list(scope: Scope, paging?: Paging): AsyncIterable<Environment>;
  /** `state` derives from the deployed instances and is never written. */
  update(
    envId: number,
    changes: Partial<Omit<Environment, 'envId' | 'createdAt' | 'state' | 'ref'>> & { ref?: string | null },
  ): Promise<void>;
  delete(envId: number): Promise<void>;
}

export type LockMode = 'exclusive' | 'shared';
export interface Lock {
  /** `instance:{appId}:{instanceId}` (by number, not by version), `environment:{envId}`, `application:{appId}`. */
  resource: string;
  mode: LockMode;
}

export interface NewOperation {
  /** Key of the action. */
  action: string;
  /** Everything that the runner needs, as JSON. No secret. */
  input: unknown;
  locks: Lock[];
  /** Equal requests have the same key: action, targets, artefact SHA-256. A second one joins a running first. Absent: never joined. */
  equal?: string;
  platform?: string;
  appId?: number;
  versionId?: number;
  instanceId?: number;
  envId?: number;
  tenant: string;
  createdBy: string;
  /** The request that asked for it. */
  requestId?: string;
}

export interface Operation extends Task {
  input: unknown;
  platform?: string;
  requestId?: string;
  attempts: number;
  cancelRequested: boolean;
  /** Results of the journalled steps that are done, by name. */
  results: Record<string, unknown>;
}

/** The proof of a claim: an operation may be written only by the attempt that holds it. */
export interface Claim {
  taskId: number;
  owner: string;
  attempt: number;
}

export interface OperationStore {
  /**
   * Stores it PENDING, or joins the equal one of the same tenant that is not terminal. Not joined: one that is asked to cancel, and one
   * behind which a conflicting operation waits (start, stop, start ends started).
   */
  enqueue(operation: NewOperation): Promise<{ operation: Operation; joined: boolean }>;
  get(taskId: number): Promise<Operation | undefined>;
  /** Newest first. */
  list(scope: Scope, paging?: Paging): AsyncIterable<Task>;
  /** Everything that is not terminal, oldest first. */
  unfinished(): Promise<Operation[]>;
  /** Not terminal, holding or waiting for a lock on the resource, oldest first. */
  pendingOn(resource: string): Promise<Operation[]>;
  /**
   * Takes the oldest operation that is due: PENDING, or RUNNING with an ended lease, and no older operation that is not terminal
   * holds a conflicting lock. One winner, also among several gateways. Leases run by the database's clock. Counts the attempt.
   * `perPlatform`: passed over are those of a platform on which so many run already, whoever runs them (gateways that claim at the
   * very same moment may be one over it each). `elsewhere`: passed over are those that touch an environment of these platforms.
   */
  claim(
    owner: string,
    leaseSeconds: number,
    perPlatform?: number,
    elsewhere?: readonly string[],
  ): Promise<Operation | undefined>;
  /** False when the claim is lost. Tells whether a cancel was asked for. */
  renew(claim: Claim, leaseSeconds: number): Promise<{ held: boolean; cancelRequested: boolean }>;
  /** Gives it back undone (shutdown): PENDING again. */
  release(claim: Claim): Promise<void>;
  /** Gives everything back that this owner holds, who is known to be dead. Returns how many. */
  releaseAll(owner: string): Promise<number>;
  /** How many wait or run. */
  active(): Promise<number>;
  /** How many wait and how many run, by platform. */
  load(): Promise<OperationLoad[]>;
  /** False, and nothing written, when the claim is lost. */
  record(claim: Claim, news: News): Promise<boolean>;
  /** Terminal, final. False, and nothing written, when the claim is lost. */
  finish(claim: Claim, state: Exclude<OperationState, 'PENDING' | 'RUNNING'>, error?: FaultRecord): Promise<boolean>;
  /**
   * PENDING → CANCELLED at once; RUNNING: asked for. Terminal: unchanged. One that was released half-done is asked for too: its next
   * claim has to undo what it made.
   */
  requestCancel(taskId: number): Promise<Operation | undefined>;
  /** Deletes terminal ones that ended before that time, with their steps. */
  prune(endedBefore: Timestamp, batch: Batch): Promise<Pruned>;
}

/** How an operation goes on. */
export interface News {
  /** Written by their names, each once. `result` marks a step as journalled. */
  steps?: readonly (Step & { result?: unknown })[];
  /** 0–100. */
  progress?: number;
}

export interface OperationLoad {
  platform?: string;
  state: 'PENDING' | 'RUNNING';
  count: number;
}

/** What one small transaction looks at: so many rows at most, oldest first, beginning after this number. */
export interface Batch {
  after: number;
  size: number;
}

export interface Pruned {
  deleted: number;
  /** Where the next batch begins; absent: nothing older is left. */
  next?: number;
}

export type NewUser = Omit<User, 'uid' | 'createdAt'> & { passwordHash: string };

/** `null` removes a value; absent leaves it. */
export type UserChanges = Partial<Pick<User, 'role' | 'tenant'>> & {
  [K in 'email' | 'firstName' | 'lastName' | 'affiliation' | 'uuid' | 'openid']?: string | null;
};

export interface UserStore {
  /** Throws Fault Conflict when the name (any case) is taken; a deleted user's name stays taken, so that it never means somebody else. */
  create(user: NewUser): Promise<User>;
  get(name: string): Promise<User | undefined>;
  byUid(uid: number): Promise<User | undefined>;
  byEmail(email: string): Promise<User | undefined>;
  list(): AsyncIterable<User>;
  update(name: string, changes: UserChanges): Promise<void>;
  delete(name: string): Promise<void>;
  /** User and hash as of one moment, in one reading. */
  credentials(name: string): Promise<{ user: User; passwordHash: string } | undefined>;
  passwordHash(name: string): Promise<string | undefined>;
  setPasswordHash(name: string, hash: string): Promise<void>;
  /** Names of all admins; until the transaction ends no other one can demote or delete them. */
  lockAdmins(): Promise<string[]>;
  /** Whether a user, deleted ones included, belongs to the tenant. */
  isTenant(tenant: string): Promise<boolean>;
  /** Subtracts; false, and unchanged, when the balance would go below 0. */
  takeCredit(uid: number, amount: number): Promise<boolean>;
  addKey(key: ApiKey & { sealed: string }): Promise<void>;
  keys(user: string): Promise<(ApiKey & { sealed: string })[]>;
  key(keyId: string): Promise<(ApiKey & { sealed: string }) | undefined>;
  deleteKey(user: string, keyId: string): Promise<boolean>;
}

export type NewAuditEvent = Omit<AuditEvent, 'id' | 'at'> & { at?: Timestamp };

export interface AuditStore {
  /** In one transaction, at most a thousand. */
  add(...events: NewAuditEvent[]): Promise<void>;
  list(paging?: Paging): AsyncIterable<AuditEvent>;
  /** Deletes what happened before that time. */
  prune(before: Timestamp, batch: Batch): Promise<Pruned>;
}

export interface ReceiveOptions {
  /** Bytes; more throw Fault `PayloadTooLarge`. */
  maximum?: number;
  /** Looks at the complete temporary file before it gets its place; what it throws is thrown, and nothing remains. */
  inspect?(file: string): Promise<void>;
}

/** Content-addressed files. */
export interface ArtefactFiles {
  /** Streams to a temporary name, hashes, synchronises, renames to its SHA-256. */
  receive(source: Readable, signal: AbortSignal, options?: ReceiveOptions): Promise<{ sha256: string; size: number }>;
  open(sha256: string, range?: { start: number; end: number }): Readable;
  size(sha256: string): Promise<number | undefined>;
  /** Makes a file young again, so that no sweep takes it before a version holds it. False when there is none. */
  touch(sha256: string): Promise<boolean>;
  remove(sha256: string): Promise<void>;
  /** Removes temporary files of dead uploads and files that nothing uses and that are older than `minimumAge` seconds. Returns how many. */
  sweep(inUse: Set<string>, minimumAge: number): Promise<number>;
}
