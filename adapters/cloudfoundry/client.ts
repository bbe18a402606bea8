import { AdapterError, type OnCall } from '../adapter.js';
import { createUpstream, pauseFor, type Upstream, type UpstreamBody, UpstreamError } from '../upstream.js';
import { cancelled, isTaken, jobError, translate } from './errors.js';
import { type Reader, read, readPage } from './resources.js';
import { type Settings, secretsOf } from './settings.js';
import { createTargets, type Target } from './target.js';
import { createLogin } from './token.js';
import { waitFor } from './wait.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The Cloud Controller, as this adapter speaks to it. Paths begin with `/v3`. */
export interface CloudController {
  get<T>(path: string, reader: Reader<T>, signal: AbortSignal, query?: Query): Promise<T>;
  /** All pages. */
  list<T>(path: string, reader: Reader<T>, signal: AbortSignal, query?: Query): Promise<T[]>;
  /** The first `count` members, one page. */
  first<T>(path: string, reader: Reader<T>, signal: AbortSignal, query?: Query, count?: number): Promise<T[]>;
  /** A POST is not repeated when its outcome is unknown, but with `again: true`. */
  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, signal: AbortSignal, body?: Body): Promise<Sent>;
}

export interface Body {
  json?: unknown;
  stream?: UpstreamBody;
  again?: boolean;
}

export interface Sent {
  status: number;
  body: unknown;
  /** Address of the job that does the work. */
  job?: string;
}

/** A configured Cloud Foundry: what every function of this folder works on. */
export interface Foundry {
  /** Name of the configured platform, e.g. `CF`. */
  platform: string;
  settings: Settings;
  cc: CloudController;
  target(signal: AbortSignal): Promise<Target>;
  /** Undefined where the platform has none. */
  logCache(signal: AbortSignal): Promise<Upstream | undefined>;
  apiVersion(signal: AbortSignal): Promise<string>;
  close(): void;
}

export function connect(settings: Settings, platform: string, onCall?: OnCall): Foundry {
  const common = {
    requestTimeout: settings.requestTimeout,
    patience: settings.patience,
    firstPause: Math.min(500, settings.pollInterval),
    skipTlsVerification: settings.skipTlsVerification,
    secrets: () => secretsOf(settings),
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    ...(onCall ? { onCall } : {}),
  };
  const open = createUpstream({ ...common, name: 'Cloud Foundry', baseUrl: settings.apiUrl });
  const root = once(async () => {
    const signal = AbortSignal.timeout(settings.requestTimeout + settings.patience);
    return read.root((await open.request({ method: 'GET', path: '/', signal })).body);
  });
  const login = createLogin(
    settings,
    async () => {
      const { uaa, login: page } = (await root()).links;
      const found = uaa?.href ?? page?.href;
      if (found === undefined)
        throw new AdapterError('unavailable', `${settings.apiUrl} names no UAA: is it a Cloud Controller?`);
      return found;
    },
    onCall,
  );
  const upstream = createUpstream({ ...common, name: 'Cloud Foundry', baseUrl: settings.apiUrl, tokens: login.tokens });
  const cc = createController(upstream);
  const targets = createTargets(cc, settings);
  let logs: Upstream | undefined;
  return {
    platform,
    settings,
    cc,
    target: targets,
    async logCache() {
      const href = (await root()).links['log_cache']?.href;
      if (href === undefined) return undefined;
      logs ??= createUpstream({ ...common, name: "Cloud Foundry's log cache", baseUrl: href, tokens: login.tokens });
      return logs;
    },
    apiVersion: async () => (await root()).links['cloud_controller_v3']?.meta?.version ?? 'unknown',
    close() {
      for (const one of [open, upstream, login, logs]) one?.close();
    },
  };
}

function createController(upstream: Upstream): CloudController {
  const get = async (path: string, signal: AbortSignal, query?: Query) =>
    (await upstream.request({ method: 'GET', path, signal, ...(query ? { query } : {}) })).body;
  return {
    get: async (path, reader, signal, query) => reader(await get(path, signal, query)),
    async list(path, reader, signal, query) {
      const { members, next } = readPage(await get(path, signal, { per_page: 5000, ...query }), reader);
      for (let href = next; href !== undefined; ) {
        const page = readPage(await get(href, signal), reader);
        members.push(...page.members);
        href = page.next;
      }
      return members;
    },
    async first(path, reader, signal, query, count = 1) {
      return readPage(await get(path, signal, { ...query, per_page: count }), reader).members;
    },
    async send(method, path, signal, { json, stream, again } = {}) {
      const answer = await upstream.request({
        method,
        path,
        signal,
        ...(json === undefined ? {} : { json }),
        ...(stream === undefined ? {} : { stream }),
        ...(again === undefined ? {} : { repeatable: again }),
      });
      const job = answer.status === 202 ? answer.headers['location'] : undefined;
      return { status: answer.status, body: answer.body, ...(job === undefined ? {} : { job }) };
    },
  };
}

/** Waits for a job's end. Throws what it failed with. A finished job stays readable, and one that is gone had ended. */
export async function finishJob(
  { cc, settings }: Foundry,
  job: string,
  waiting: { what: string; limit: number; failed: string },
  signal: AbortSignal,
): Promise<void> {
  const ended = await waitFor({ ...waiting, interval: settings.pollInterval, signal }, async () => {
    const { state, errors } = await cc.get(job, read.job, signal);
    return state === 'COMPLETE' || state === 'FAILED' ? { state, errors: errors ?? [] } : undefined;
  });
  if (ended.state === 'FAILED') throw jobError(waiting.failed, ended.errors);
}

/** Finds what an earlier attempt made, or makes it. */
export async function findOrCreate<T>(
  find: () => Promise<T | undefined>,
  create: () => Promise<T>,
  context: { settings: Settings; signal: AbortSignal },
): Promise<T> {
  return (await find()) ?? (await createOnce(find, create, context));
}

/** Makes something; when nobody knows whether it was made, or its name is taken, it looks before it makes it again. */
export async function createOnce<T>(
  find: () => Promise<T | undefined>,
  create: () => Promise<T>,
  { settings, signal }: { settings: Settings; signal: AbortSignal },
): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await create();
    } catch (error) {
      const uncertain = error instanceof UpstreamError && error.uncertain;
      if (!uncertain && !isTaken(error)) throw error;
      if (uncertain) await pauseFor(settings.pollInterval * attempts, signal);
      const made = await find();
      if (made !== undefined) return made;
      if (!uncertain || attempts >= 4) throw error;
    }
  }
}

/** Does something, and gives every error the contract's form. `doing` says what did not succeed. */
export async function explained<T>(doing: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal.aborted) throw cancelled(signal.reason);
    throw translate(error, doing);
  }
}

/** Runs once for many callers, and again after a failure. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().catch((error) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
