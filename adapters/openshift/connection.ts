import { readFile } from 'node:fs/promises';
import { type Agent, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { AdapterError } from '../adapter.js';
import { messageOf } from './errors.js';
import type { Settings } from './settings.js';

/** Where the API server is, and as whom it is spoken to. */
export interface Connection {
  readonly server: URL;
  /** For each request anew: log-in helpers of a kubeconfig renew their tokens by themselves. */
  credentials(): Promise<{ agent: Agent; headers: Record<string, string> }>;
  /** After a 401. True when other credentials may be there now. */
  renew(): Promise<boolean>;
  close(): void;
}

export async function openConnection(settings: Settings): Promise<Connection> {
  return settings.kubeconfig === undefined ? byToken(settings) : byKubeconfig(settings, settings.kubeconfig);
}

async function byToken(settings: Settings): Promise<Connection> {
  const server = new URL(settings.server ?? '');
  const ca = settings.caFile === undefined ? undefined : await readOption(settings.caFile, 'caFile');
  const agent =
    server.protocol === 'https:'
      ? secureAgent({ ca, rejectUnauthorized: !settings.skipTlsVerification })
      : new HttpAgent(KEEP);
  return {
    server,
    credentials: async () => ({ agent, headers: { authorization: `Bearer ${settings.token}` } }),
    renew: async () => false,
    close: () => agent.destroy(),
  };
}

const KEEP = { keepAlive: true, scheduling: 'lifo' } as const;

type TlsMaterial = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'> & {
  servername?: string | undefined;
};

function secureAgent(material: TlsMaterial): HttpsAgent {
  const given = Object.entries(material).filter(([, value]) => value !== undefined);
  return new HttpsAgent({ ...KEEP, ...(Object.fromEntries(given) as TlsMaterial) } as ConstructorParameters<
    typeof HttpsAgent
  >[0]);
}

async function readOption(file: string, name: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AdapterError('rejected', `Option "${name}" names a file that cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * The Kubernetes project's own client reads the kubeconfig: contexts, certificates as files or inside, tokens, helper programs. It would
 * open a new connection for each request, so its agent is used for a proxy only; otherwise ours, as long as the certificates stay.
 */
async function byKubeconfig(settings: Settings, file: string): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const load = async () => {
    const text = await readOption(file, 'kubeconfig');
    const config = new KubeConfig();
    try {
      config.loadFromFile(file);
      if (settings.context !== undefined) config.setCurrentContext(settings.context);
    } catch (error) {
      throw new AdapterError('rejected', `The kubeconfig cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const cluster = config.getCurrentCluster();
    if (!cluster || !config.getCurrentUser()) {
      const names = config.getContexts().map((one) => one.name);
      const wanted = settings.context ?? config.getCurrentContext();
      throw new AdapterError(
        'rejected',
        `The kubeconfig has no complete context "${wanted}"; it has: ${names.join(', ') || 'none'}.`,
      );
    }
    return { text, config, cluster };
  };

  let loaded = await load();
  let agent: Agent | undefined;
  let made = '';

  const agentFor = (options: RequestOptions): Agent => {
    if (loaded.cluster.proxyUrl && options.agent) return options.agent as Agent;
    const material: TlsMaterial = {
      ca: options.ca,
      cert: options.cert,
      key: options.key,
      rejectUnauthorized: options.rejectUnauthorized,
      servername: options.servername,
    };
    const print = JSON.stringify(Object.values(material).map(String));
    if (!agent || print !== made) {
      agent?.destroy();
      agent = loaded.cluster.server.startsWith('https:') ? secureAgent(material) : new HttpAgent(KEEP);
      made = print;
    }
    return agent;
  };

  return {
    server: new URL(loaded.cluster.server),
    async credentials() {
      const options: RequestOptions = {};
      try {
        await loaded.config.applyToHTTPSOptions(options);
      } catch (error) {
        throw new AdapterError('unauthorized', `The kubeconfig gives no credentials: ${messageOf(error)}`, {
          cause: error,
        });
      }
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
      if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      return { agent: agentFor(options), headers };
    },
    /** Somebody may have logged in again meanwhile: `oc login` writes the file. */
    async renew() {
      const before = loaded.text;
      loaded = await load();
      return loaded.text !== before;
    },
    close: () => agent?.destroy(),
  };
}
