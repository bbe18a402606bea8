import { AdapterError } from '../adapter.js';
import { createUpstream, type Upstream, UpstreamError } from '../upstream.js';
import { identifiedBy } from './client.js';
import { ConpaasRefusal } from './errors.js';
import type { Settings } from './settings.js';

/** A row of /list; `application_id` and `manager` as the Director writes them. */
export interface ServiceRow {
  sid: number;
  name: string;
  type: string;
  state: string;
  manager: string;
  application_id: number;
}

/** What /service_status of our own Director tells of a service. */
export interface ServiceStatus {
  sid: number;
  aid: number;
  name: string;
  type: string;
  state: string;
  reason: string;
  url?: string;
  processes: number;
  code: { codeVersionId: string; description: string };
  nodes: { id: string; roles: string[]; phase: string; reason?: string }[];
}

export interface RuntimeRow {
  name: string;
  type: string;
  available: boolean;
  version?: string;
  install?: string;
}

/** The Director's API, as far as the gateway needs it. Rejects with UpstreamError, ConpaasRefusal or AdapterError. */
export interface DirectorApi {
  applications(signal: AbortSignal): Promise<{ aid: number; name: string }[]>;
  createApplication(name: string, signal: AbortSignal): Promise<number>;
  deleteApplication(aid: number, signal: AbortSignal): Promise<void>;
  services(signal: AbortSignal): Promise<ServiceRow[]>;
  /** Undefined: this Director cannot tell. */
  statuses(signal: AbortSignal): Promise<ServiceStatus[] | undefined>;
  startService(type: string, aid: number, name: string, signal: AbortSignal): Promise<ServiceRow>;
  stopService(sid: number, signal: AbortSignal): Promise<void>;
  availableTypes(signal: AbortSignal): Promise<string[]>;
  /** Undefined: this Director cannot tell. */
  runtimes(signal: AbortSignal): Promise<RuntimeRow[] | undefined>;
  close(): void;
}

export function createDirectorApi(settings: Settings): DirectorApi {
  const open = (certificate: boolean) =>
    createUpstream({
      name: 'The ConPaaS Director',
      baseUrl: settings.director,
      ca: settings.ca,
      requestTimeout: settings.requestTimeout,
      patience: PATIENCE,
      secrets: () => [settings.key],
      ...(settings.onCall ? { onCall: settings.onCall } : {}),
      tls: identifiedBy(settings, { certificate, role: 'frontend' }),
    });
  const upstream = open(true);
  const nameless = open(false);

  async function post(path: string, form: Record<string, string>, signal: AbortSignal, repeatable = false) {
    const answer = await upstream
      .request({ method: 'POST', path, form, signal, repeatable })
      .catch((error: unknown) => explainCut(error, nameless, signal));
    const { body, headers } = answer;
    // JSON's bare `false` arrives as text.
    if (body === 'false') throw new ConpaasRefusal(`The Director refused ${path}.`, headers);
    if (isFailure(body)) throw new ConpaasRefusal(String(body.msg ?? 'The Director refused.'), headers);
    return body;
  }

  async function optional(work: Promise<unknown>): Promise<unknown> {
    return await work.catch((error: unknown) => {
      if (error instanceof UpstreamError && error.status === 404) return undefined;
      throw error;
    });
  }

  return {
    applications: async (signal) => rows(await post('/listapp', {}, signal, true)),
    createApplication: async (name, signal) => {
      const made = (await post('/createapp', { name }, signal)) as { aid?: unknown };
      return Number(made.aid);
    },
    deleteApplication: async (aid, signal) => {
      await post(`/delete/${aid}`, {}, signal, true);
    },
    services: async (signal) => rows(await post('/list', {}, signal, true)),
    statuses: async (signal) => {
      const body = await optional(post('/service_status', {}, signal, true));
      return body === undefined ? undefined : rows(body);
    },
    async startService(type, aid, name, signal) {
      const made = (await post(`/start/${type}`, { appid: String(aid), name }, signal)) as ServiceRow;
      // A Director that is not ours does not know the parameter.
      if (made.name !== name) await post(`/rename/${made.sid}`, { name }, signal, true);
      return { ...made, name };
    },
    stopService: async (sid, signal) => {
      await post(`/stop/${sid}`, {}, signal, true);
    },
    availableTypes: async (signal) => rows(await get('/available_services', signal)),
    runtimes: async (signal) => {
      const body = await optional(get('/runtimes', signal));
      return body === undefined ? undefined : rows(body);
    },
    close() {
      upstream.close();
      nameless.close();
    },
  };

  async function get(path: string, signal: AbortSignal): Promise<unknown> {
    const { body } = await upstream
      .request({ method: 'GET', path, signal })
      .catch((error: unknown) => explainCut(error, nameless, signal));
    return body;
  }
}

/** Milliseconds that a call is repeated while the Director is away. */
const PATIENCE = 2_000;

/** A Director that hangs up on our certificate but talks to whoever has none refuses the certificate. */
async function explainCut(error: unknown, nameless: Upstream, signal: AbortSignal): Promise<never> {
  if (!(error instanceof UpstreamError) || error.trouble !== 'cut') throw error;
  const answers = await nameless.request({ method: 'GET', path: '/version', signal }).then(
    () => true,
    () => false,
  );
  if (!answers) throw error;
  throw new AdapterError('unauthorized', 'ConPaaS refuses the certificate of the gateway: it is revoked or expired.', {
    cause: error,
  });
}

function isFailure(body: unknown): body is { error: unknown; msg?: unknown } {
  return typeof body === 'object' && body !== null && 'error' in body && Boolean(body.error);
}

function rows<T>(body: unknown): T[] {
  if (Array.isArray(body)) return body as T[];
  throw new AdapterError('unavailable', 'The Director did not answer with a list.');
}
