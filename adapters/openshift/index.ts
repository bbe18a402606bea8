import type { Readable } from 'node:stream';
import type {
  AdapterCall,
  AdapterContext,
  AdapterLog,
  Capabilities,
  DeploymentKey,
  DeploymentReport,
  DeploymentSpec,
  EnvironmentKey,
  EnvironmentReport,
  EnvironmentSpec,
  LogOptions,
  Offer,
  PlatformAdapter,
} from '../adapter.js';
import { readCatalogue } from './catalogue.js';
import { type Client, createClient } from './client.js';
import { openConnection } from './connection.js';
import { deploy } from './deploy.js';
import { createEnvironment } from './environments.js';
import { toAdapterError } from './errors.js';
import { restart, scale, start, stop } from './lifecycle.js';
import { logs } from './logs.js';
import { observe, type Reach, UNKNOWN_REACH } from './observe.js';
import { deleteProject, findProject } from './projects.js';
import { removeDeployment } from './remove.js';
import { readSettings, type Settings } from './settings.js';
import type { Work } from './work.js';

export async function createOpenShiftAdapter(context: AdapterContext): Promise<OpenShiftAdapter> {
  const settings = readSettings(context);
  const client = createClient(await openConnection(settings), {
    ...settings,
    ...(context.onCall ? { onCall: context.onCall } : {}),
  });
  return new OpenShiftAdapter(client, settings, context.log);
}

export class OpenShiftAdapter implements PlatformAdapter {
  readonly capabilities: Capabilities = {
    artefacts: ['war', 'ear', 'jar', 'zip'],
    scale: true,
    logs: true,
    followLogs: true,
    databases: true,
    replaceWithoutDowntime: true,
  };

  readonly #client: Client;
  readonly #settings: Settings;
  readonly #log: AdapterLog;
  #reach: Reach = UNKNOWN_REACH;

  constructor(client: Client, settings: Settings, log: AdapterLog) {
    this.#client = client;
    this.#settings = settings;
    this.#log = log;
  }

  info(call: AdapterCall): Promise<Offer> {
    return this.#do(call, 'looking for builder images', async (work) =>
      (await readCatalogue(work.client, work.settings, call.signal)).offer(),
    );
  }

  createEnvironment(environment: EnvironmentSpec, call: AdapterCall): Promise<EnvironmentReport> {
    return this.#do(call, `creating environment ${environment.envId}`, (work) => createEnvironment(work, environment));
  }

  deleteEnvironment(environment: EnvironmentKey, call: AdapterCall): Promise<void> {
    return this.#do(call, `deleting environment ${environment.envId}`, (work) => deleteProject(work, environment));
  }

  deploy(deployment: DeploymentSpec, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, `deploying ${name(deployment.key)}`, (work) => deploy(work, deployment));
  }

  undeploy(key: DeploymentKey, call: AdapterCall): Promise<void> {
    return this.#do(call, `removing ${name(key)}`, async (work) => {
      const namespace = await findProject(work, key);
      if (namespace !== undefined) await removeDeployment(work, namespace, key);
    });
  }

  start(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, `starting ${name(key)}`, (work) => start(work, key));
  }

  stop(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, `stopping ${name(key)}`, (work) => stop(work, key));
  }

  restart(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, `restarting ${name(key)}`, (work) => restart(work, key));
  }

  scale(key: DeploymentKey, processes: number, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, `scaling ${name(key)}`, (work) => scale(work, key, processes));
  }

  observe(call: AdapterCall): Promise<DeploymentReport[]> {
    return this.#do(call, 'looking at what runs', async (work) => {
      const seen = await observe(work, this.#reach);
      this.#reach = seen.reach;
      return seen.reports;
    });
  }

  logs(key: DeploymentKey, options: LogOptions, call: AdapterCall): Promise<Readable> {
    return this.#do(call, `reading the log of ${name(key)}`, (work) => logs(work, key, options));
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** The border: what leaves it is a result, the signal's reason, or an AdapterError. */
  async #do<T>(call: AdapterCall, doing: string, body: (work: Work) => Promise<T>): Promise<T> {
    call.signal.throwIfAborted();
    try {
      return await body({ client: this.#client, settings: this.#settings, log: this.#log, call });
    } catch (failure) {
      if (call.signal.aborted && failure === call.signal.reason) throw failure;
      throw toAdapterError(failure, doing);
    }
  }
}

function name({ appId, instanceId, envId }: DeploymentKey): string {
  return `instance ${instanceId} of application ${appId} in environment ${envId}`;
}
