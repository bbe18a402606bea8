/** What the fake keeps. Names are the Cloud Controller's where it has any. */
export interface Thing {
  guid: string;
  created: Date;
  updated: Date;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface Org extends Thing {
  name: string;
  suspended: boolean;
  quota: { total_memory_in_mb: number };
}
export interface Space extends Thing {
  name: string;
  org: Org;
}
export interface User {
  guid: string;
  name: string;
  password: string;
  admin: boolean;
  scopes: string[];
  /** Role by space guid. */
  roles: Map<string, 'developer' | 'auditor'>;
}
export interface Domain extends Thing {
  name: string;
  /** Whose only; absent: shared with all. */
  owner?: 'system';
}
export interface Buildpack extends Thing {
  name: string;
  stack: string;
  state: 'READY' | 'AWAITING_UPLOAD';
}
export interface Lifecycle {
  type: string;
  data: { buildpacks: string[]; stack: string };
}
export interface App extends Thing {
  name: string;
  state: 'STARTED' | 'STOPPED';
  space: Space;
  lifecycle: Lifecycle;
  env: Record<string, string>;
  droplet?: Droplet;
  revisions: number;
}
export interface Process extends Thing {
  app: App;
  type: string;
  version: string;
  command?: string;
  instances: number;
  memory: number;
  disk: number;
  health: HealthCheck;
  readiness: HealthCheck;
  revision?: string;
  /** What its instances run; set when the scheduler is told. */
  running?: Droplet;
  cells: Instance[];
  deployment?: Deployment;
}
export interface HealthCheck {
  type: string;
  data: Record<string, unknown>;
}
export interface Instance {
  index: number;
  guid: string;
  state: 'DOWN' | 'STARTING' | 'RUNNING' | 'CRASHED' | 'STOPPING';
  since: number;
  details?: string;
  crashes: number;
  /** Measured memory is told some time after the start. */
  measured: boolean;
  /** Where it answers, when the fake runs it. */
  port?: number;
  stop?: () => void;
}
export interface Package extends Thing {
  app: App;
  type: string;
  state: 'AWAITING_UPLOAD' | 'PROCESSING_UPLOAD' | 'READY' | 'FAILED';
  error?: string;
  checksum?: string;
  size: number;
  /** The bits, kept on disk. */
  file?: string;
}
export interface Build extends Thing {
  app: App;
  package: Package;
  state: 'STAGING' | 'STAGED' | 'FAILED';
  error?: string;
  lifecycle: Lifecycle;
  memory: number;
  disk: number;
  droplet?: Droplet;
  by: User;
}
export interface Droplet extends Thing {
  app: App;
  package: Package;
  state: 'STAGED';
  checksum: string;
  buildpack: string;
  stack: string;
  command: string;
}
export interface Deployment extends Thing {
  app: App;
  status: 'ACTIVE' | 'FINALIZED';
  reason: string;
  strategy: string;
  maxInFlight: number;
  droplet: Droplet;
  previous?: Droplet;
  process?: Process;
  revision: { guid: string; version: number };
  /** A paused canary goes on only when it is told to. */
  continued: boolean;
  healthy: Date;
  changed: Date;
}
export interface Destination {
  guid: string;
  app: App;
  process: string;
  port: number;
  protocol: string;
  created: Date;
  updated: Date;
}
export interface Route extends Thing {
  host: string;
  path: string;
  domain: Domain;
  space: Space;
  destinations: Destination[];
}
export interface Offering extends Thing {
  name: string;
  description: string;
  tags: string[];
  id: string;
  features: Record<string, boolean>;
  metadata: Record<string, unknown>;
  broker: string;
}
export interface Plan extends Thing {
  name: string;
  description: string;
  free: boolean;
  public: boolean;
  offering: Offering;
  /** What the broker does with it. */
  broker: BrokerBehaviour;
}
/** `now`: at once; `later`: asynchronously; `fails`, `fails later`: with that text. */
export interface BrokerBehaviour {
  provision: 'now' | 'later' | { fails: string } | { 'fails later': string };
  deprovision: 'now' | 'later';
  bind: 'now' | { 'refuses parameters': string };
}
export interface Operation {
  type: string;
  state: string;
  description: string | null;
  created: Date;
  updated: Date;
}
export interface ServiceInstance extends Thing {
  type: 'managed' | 'user-provided';
  name: string;
  space: Space;
  plan?: Plan;
  tags: string[];
  parameters: Record<string, unknown>;
  credentials: Record<string, unknown>;
  last: Operation;
  dashboard: boolean;
  deleting: boolean;
}
export interface Binding extends Thing {
  type: 'app' | 'key';
  name: string | null;
  instance: ServiceInstance;
  app?: App;
  credentials: Record<string, unknown>;
  last: Operation;
}
export interface Job extends Thing {
  operation: string;
  state: 'PROCESSING' | 'POLLING' | 'COMPLETE' | 'FAILED';
  errors: { code: number; title: string; detail: string }[];
  link: Record<string, string>;
}
export interface AuditEvent extends Thing {
  type: string;
  actor: { guid: string; type: string; name: string };
  target: { guid: string; type: string; name: string };
  data: Record<string, unknown>;
  space: Space;
}
