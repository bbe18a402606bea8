import type { Readable } from 'node:stream';
import type { Manifest } from './manifest.js';
import type {
  ApiKey,
  Application,
  Artefact,
  AuditEvent,
  Environment,
  Instance,
  PlatformInformation,
  Task,
  User,
  Version,
} from './model.js';
import type { InstanceState } from './states.js';

/** A list as it leaves the store: rows one by one, never whole in memory. */
export interface Listing<T> {
  items: AsyncIterable<T> | Iterable<T>;
  /** Number of the following page, when the request was paged and there is one. */
  nextPage?: number;
}

/** A row of `GET /app`. */
export interface ApplicationSummary {
  appId: number;
  name: string;
  description?: string;
  state: InstanceState;
  tenant: string;
}

/** Bytes to download. `open` takes an inclusive byte range. */
export interface Download {
  artefact: Artefact;
  open(range?: { start: number; end: number }): Readable;
}

/** What this gateway is: `GET {base}`. */
export interface ServiceDescription {
  /** Name of the base's platform; absent at `/rest`. */
  platform?: string;
  platforms: string[];
  version: string;
}

export interface OperationResponse {
  value: string;
}

/** The value that a handler gives for each kind of response. */
export interface ResponseValues {
  application: Application;
  applications: Listing<ApplicationSummary>;
  version: Version;
  versions: Listing<Version>;
  instance: Instance;
  instances: Listing<Instance>;
  environment: Environment;
  environments: Listing<Environment>;
  information: PlatformInformation;
  artefacts: Listing<Artefact>;
  bytes: Download;
  logs: Readable;
  task: Task;
  tasks: Listing<Task>;
  user: User;
  users: Listing<User>;
  key: ApiKey;
  keys: Listing<ApiKey>;
  auditEvents: Listing<AuditEvent>;
  operationResponse: OperationResponse;
  service: ServiceDescription;
  wadl: string;
  openapi: object;
}
export type ResponseKind = keyof ResponseValues;

/** A request that may carry a descriptor and a file, read only when the service says so: after it found the target and its owner. */
export interface Upload {
  /** Whether there is a body at all (an empty POST deploys the stored artefact). */
  present: boolean;
  /** Streams the file into the artefact store. Called once. Throws Fault (`InvalidValue`, `PayloadTooLarge`, …). */
  read(): Promise<{ manifest?: Manifest; artefact?: Artefact }>;
}

export interface UserDescriptor {
  name?: string;
  password?: string;
  role?: string;
  tenant?: string;
  email?: string;
  firstName?: string;
  lastName?: string;
  affiliation?: string;
}

/** The value that a handler receives for each kind of request body. */
export interface BodyValues {
  none: undefined;
  manifest: Manifest;
  upload: Upload;
  user: UserDescriptor;
  password: { password: string };
  key: { label?: string };
}
export type BodyKind = keyof BodyValues;
