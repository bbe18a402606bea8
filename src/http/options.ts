import type { Handlers } from '../api/table.js';
import type { ArtefactReceiver, Authentication } from '../domain/ports.js';
import type { Revisions } from '../domain/revisions.js';

/** Everything that the HTTP layer needs; it opens nothing itself. */
export interface AppOptions {
  handlers: Handlers;
  authentication: Authentication;
  artefacts: ArtefactReceiver;
  /** Where the API is mounted: one base for each platform, and `/rest` for all. */
  bases: readonly Base[];
  /** Origin of every href, e.g. `https://paas.example.org`. Absent: from the request's Host. */
  publicUrl?: string;
  /** The user as whom requests without known credentials act. Absent: they get 401. */
  anonymous?: string;
  /** `required`: a request without `Action` or `Version` is refused (§3 of the specification, read strictly). */
  commonParameters?: 'optional' | 'required';
  /** Seconds that a durable action is waited for. */
  patience: number;
  /** Of this gateway. */
  version: string;
  /** Names of the configured platforms. */
  platforms: readonly string[];
  /** What a platform can do beside what each must. */
  capabilities(platform: string): PlatformCapabilities | undefined;
  limits?: Partial<Limits>;
  /** What callers and answers are remembered by. Absent: neither is. */
  revisions?: Revisions;
  /** Bytes of the answers that are kept; 0, as absent: none. */
  keep?: number;
  log: Log;
  /** Called once for each request, when its answer is out or its client has gone. For audit and metrics. */
  onRequest?(event: RequestEvent): void;
  /** The time, in milliseconds since 1970; for tests of expiry. */
  now?(): number;
}

export interface Base {
  /** E.g. `/CP-api/rest`. */
  path: string;
  /** The platform that it chooses; absent: each environment's own. */
  platform?: string;
}

export interface PlatformCapabilities {
  scale: boolean;
  logs: boolean;
}

export interface Limits {
  /** Bytes of a descriptor or another document. */
  document: number;
  /** Bytes of an uploaded artefact. */
  artefact: number;
  /** Seconds in which a document has to arrive; the longest silence within an upload. */
  bodySeconds: number;
  /** Uploads of one user at a time. */
  uploadsPerUser: number;
}

export const DEFAULT_LIMITS: Limits = {
  document: 1024 ** 2,
  artefact: 2 * 1024 ** 3,
  bodySeconds: 60,
  uploadsPerUser: 256,
};

/** As pino has it. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RequestEvent {
  requestId: string;
  /** Key of the action; absent when the path or the method is unknown, and for HEAD and OPTIONS. */
  action?: string | undefined;
  method: string;
  /** Path without query. */
  target: string;
  /** Template of the path, e.g. `/app/{appId}`: few enough for a metric's label. */
  route?: string | undefined;
  /** 0 when the client had gone before an answer. */
  status: number;
  user?: string | undefined;
  address: string;
  /** Milliseconds. */
  duration: number;
  /** The answer was there already. */
  kept?: true;
}
