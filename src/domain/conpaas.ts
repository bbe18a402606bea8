import type { Timestamp, User } from './model.js';

/** The service types that a ConPaaS of ours knows; which of them are offered depends on the machine. */
export const SERVICE_TYPES = ['java', 'php', 'nodejs', 'python', 'static', 'generic', 'mysql', 'helloworld'] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];

/** INIT, STOPPED and RUNNING rest; ERROR rests with a reason; the others are transitions that a restart takes up again. */
export const SERVICE_STATES = ['INIT', 'PROLOGUE', 'RUNNING', 'ADAPTING', 'EPILOGUE', 'STOPPED', 'ERROR'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

export interface ConpaasApplication {
  /** One counter, never reused. */
  aid: number;
  uid: number;
  /** Unique among the user's. */
  name: string;
  createdAt: Timestamp;
}

/** An address of a gateway host that one service or node has for itself. Port 0: the whole address, with the configured ports. */
export interface Endpoint {
  address: string;
  port: number;
}

/** What its owner set for the processes of a service. */
export interface ServiceSettings {
  /** Environment variables of the application. */
  variables: Record<string, string>;
  /** MiB for each process. */
  memory?: number;
  /** `phpconf` of update_php_configuration. */
  php: Record<string, string>;
  /** The script that upload_startup_script stored. */
  startupScript?: string;
  /** mysql: passwords of its accounts by user; one is the applications' own. */
  accounts?: Record<string, string>;
  /** Name of the type that its client uses, where the type has two: `galera` is mysql. */
  typeName?: string;
}

/** How many nodes of each role a service shall have. A role with 0 nodes of its own is carried by the first proxy (or master). */
export type RoleCounts = Record<string, number>;

/** What a service is to become: written before the work begins, so that a restart can go on. */
export interface ServiceGoal {
  /** `deleted`: nodes, files, certificates and at last the row go. */
  aim: 'running' | 'stopped' | 'deleted';
  counts: RoleCounts;
  codeVersionId: string;
  settings: ServiceSettings;
  /** Nodes that remove_nodes named. */
  remove?: string[];
  /** Of a generic service. Those of nodes that are gone are gone. */
  volumes?: ServiceVolume[];
}

export interface ServiceVolume {
  volumeName: string;
  /** MB. */
  volumeSize: number;
  /** Id of the node that has it. */
  agentId: string;
}

export interface ConpaasService {
  /** One counter, never reused. */
  sid: number;
  aid: number;
  uid: number;
  type: ServiceType;
  name: string;
  /** `iaas` is the default cloud's name on the wire. */
  cloud: string;
  createdAt: Timestamp;
  /** The gateway host that made it, runs its manager and holds its files. */
  host: string;
  /** Number of the manager's "VM". */
  vmid: number;
  /** Where its manager listens. */
  manager: Endpoint;
  /** Where its first proxy node listens, reserved from the service's birth to its end. */
  endpoint: Endpoint;
  state: ServiceState;
  /** Why it is in this state, when somebody should know. */
  reason: string;
  /** What it holds to. */
  current: ServiceGoal;
  /** What a transition works towards; null at rest. */
  goal: ServiceGoal | null;
}

export interface ConpaasNode {
  /** `iaas4`: cloud and vmid. */
  nodeId: string;
  sid: number;
  vmid: number;
  cloud: string;
  host: string;
  /** Its own address, at which it listens when it is a proxy. Null: it has none of its own and listens to this machine alone. */
  endpoint: Endpoint | null;
  roles: string[];
  createdAt: Timestamp;
  /** Its hours are paid until then. */
  paidUntil: Timestamp;
}

export interface ConpaasCodeVersion {
  sid: number;
  /** `code-XXXXXX`. */
  codeVersionId: string;
  /** As uploaded, without folders. */
  filename: string;
  description: string;
  createdAt: Timestamp;
  format: 'zip' | 'tar';
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
}

export interface ConpaasCertificate {
  /** SHA-256 of the DER form, lower-case hex. */
  fingerprint: string;
  role: string;
  uid: number;
  /** 0 for users and the Director. */
  sid: number;
  expiresAt: Timestamp;
  revokedAt: Timestamp | null;
}

export interface ConpaasHistoryEntry {
  at: Timestamp;
  state: ServiceState;
  reason: string;
}

export interface CreditCharge {
  /** Names what is paid, e.g. `service:7` or `node:7:iaas9:0`: a charge of the same key is taken once and answers the same. */
  key: string;
  uid: number;
  sid: number;
  /** ≥ 1. */
  amount: number;
}

export type NewConpaasService = Pick<ConpaasService, 'aid' | 'uid' | 'type' | 'name' | 'cloud' | 'host' | 'current'> & {
  /** Candidates, in the order to be tried: the first that nobody holds is reserved. */
  managers: Iterable<Endpoint>;
  endpoints: Iterable<Endpoint>;
  /** Credits that its manager costs; 0 for the gateway's own user. */
  price: number;
};

export type ServiceChanges = Partial<Pick<ConpaasService, 'name' | 'state' | 'reason' | 'current' | 'goal'>>;

export type NewConpaasNode = Pick<ConpaasNode, 'sid' | 'cloud' | 'host' | 'roles' | 'paidUntil'> & {
  /** The service's own endpoint, candidates for one more, or none. */
  endpoint: 'of the service' | Iterable<Endpoint> | null;
};

/** What the Director and the managers keep. Each method is one transaction. */
export interface ConpaasStore {
  /** Undefined: the user has one of that name. */
  createApplication(uid: number, name: string): Promise<ConpaasApplication | undefined>;
  application(aid: number): Promise<ConpaasApplication | undefined>;
  /** By aid. */
  applications(uid: number): Promise<ConpaasApplication[]>;
  /** False: the user has one of that name. */
  renameApplication(aid: number, name: string): Promise<boolean>;
  /** False: it has services. */
  deleteApplication(aid: number): Promise<boolean>;

  /**
   * In INIT, with its first history entry, its addresses reserved and its price taken.
   * `no-credit`: nothing was made. `no-address`: every candidate is held.
   */
  createService(service: NewConpaasService): Promise<ConpaasService | 'no-credit' | 'no-address'>;
  service(sid: number): Promise<ConpaasService | undefined>;
  /** By sid. */
  services(filter: { uid?: number; aid?: number; host?: string }): Promise<ConpaasService[]>;
  /** A change of `state` writes a history entry with `reason`. */
  updateService(sid: number, changes: ServiceChanges): Promise<void>;
  /** With its nodes, code versions, history and addresses; what was paid is given back when `refund` says so. False: it is gone already. */
  deleteService(sid: number, options?: { refund: boolean }): Promise<boolean>;
  /** Oldest first. */
  history(sid: number): Promise<ConpaasHistoryEntry[]>;

  createNode(node: NewConpaasNode): Promise<ConpaasNode | 'no-address'>;
  /** By vmid. */
  nodes(filter: { sid?: number; host?: string }): Promise<ConpaasNode[]>;
  updateNode(nodeId: string, changes: Partial<Pick<ConpaasNode, 'roles' | 'paidUntil'>>): Promise<void>;
  /** Frees its addresses; the service's own endpoint stays reserved. */
  deleteNode(nodeId: string): Promise<void>;

  addCodeVersion(version: ConpaasCodeVersion): Promise<void>;
  /** Newest first. */
  codeVersions(sid: number): Promise<ConpaasCodeVersion[]>;
  deleteCodeVersion(sid: number, codeVersionId: string): Promise<boolean>;

  addCertificate(certificate: Omit<ConpaasCertificate, 'revokedAt'>): Promise<void>;
  certificate(fingerprint: string): Promise<ConpaasCertificate | undefined>;
  /** Every certificate of a user (role user) or of a service. Returns how many were valid until now. */
  revoke(whose: { uid: number } | { sid: number }, at: Timestamp): Promise<number>;
  /** Forgets certificates that ended before. */
  forgetExpired(before: Timestamp): Promise<void>;

  /** Takes the amount unless the balance would go below 0: then false, and nothing changes. */
  charge(charge: CreditCharge): Promise<boolean>;

  /** One holder at a time, by the database's clock. True: `owner` holds it for `seconds` from now. */
  lease(name: string, owner: string, seconds: number): Promise<boolean>;
  releaseLease(name: string, owner: string): Promise<void>;
}

export interface NewConpaasUser {
  name: string;
  password: string;
  email: string;
  firstName?: string;
  lastName?: string;
  affiliation?: string;
  uuid?: string;
  openid?: string;
  credit: number;
}

/** The one table of users, as the Director needs it: a COAPS user and a ConPaaS user are the same person with the same password. */
export interface ConpaasUsers {
  /** Counts a wish to register from an address. Throws Fault TooManyRequests when there were too many. */
  admit(address: string): Promise<void>;
  /** With a tenant of its own. Throws Fault Conflict when the name (any case) is taken, InvalidValue when name or password cannot be used. */
  create(user: NewConpaasUser): Promise<User>;
  /** Undefined: no such user, or another password. Throws Fault TooManyRequests after too many failures. */
  byPassword(name: string, password: string, address: string): Promise<User | undefined>;
  get(name: string): Promise<User | undefined>;
  byUid(uid: number): Promise<User | undefined>;
  byEmail(email: string): Promise<User | undefined>;
}
