import type { Readable } from 'node:stream';
import type {
  AdapterCall,
  AdapterContext,
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
import { createManagerClients, type ManagerClients } from './client.js';
import { deploy } from './deploy.js';
import { createDirectorApi, type DirectorApi } from './director.js';
import { translate } from './errors.js';
import * as lifecycle from './lifecycle.js';
import { logs } from './logs.js';
import { keyOf } from './names.js';
import { offerOf } from './runtimes.js';
import { createEnvironment, deleteEnvironment } from './services.js';
import { readSettings, type Settings } from './settings.js';
import { reportOf } from './states.js';
import { allStatuses, type Work } from './work.js';

export async function createConpaasAdapter(context: AdapterContext): Promise<PlatformAdapter> {
  return new ConpaasAdapter(await readSettings(context), context.installation);
}

/** Deploys on a ConPaaS through its public API, with a user's certificate: what it can do, any ConPaaS client can. */
export class ConpaasAdapter implements PlatformAdapter {
  readonly capabilities: Capabilities = {
    artefacts: ['war', 'jar', 'zip'],
    scale: true,
    logs: true,
    followLogs: true,
    databases: false,
    replaceWithoutDowntime: true,
  };
  readonly #settings: Settings;
  readonly #installation: string;
  readonly #director: DirectorApi;
  readonly #managers: ManagerClients;

  constructor(settings: Settings, installation: string) {
    this.#settings = settings;
    this.#installation = installation;
    this.#director = createDirectorApi(settings);
    this.#managers = createManagerClients(settings);
  }

  info(call: AdapterCall): Promise<Offer> {
    return this.#do(call, offerOf);
  }

  createEnvironment(environment: EnvironmentSpec, call: AdapterCall): Promise<EnvironmentReport> {
    return this.#do(call, (work) => createEnvironment(work, environment));
  }

  deleteEnvironment(environment: EnvironmentKey, call: AdapterCall): Promise<void> {
    return this.#do(call, (work) => deleteEnvironment(work, environment));
  }

  deploy(deployment: DeploymentSpec, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, (work) => deploy(work, deployment));
  }

  undeploy(key: DeploymentKey, call: AdapterCall): Promise<void> {
    return this.#do(call, (work) => lifecycle.undeploy(work, key));
  }

  start(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, (work) => lifecycle.start(work, key));
  }

  stop(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, (work) => lifecycle.stop(work, key));
  }

  restart(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, (work) => lifecycle.restart(work, key));
  }

  scale(key: DeploymentKey, processes: number, call: AdapterCall): Promise<DeploymentReport> {
    return this.#do(call, (work) => lifecycle.scale(work, key, processes));
  }

  observe(call: AdapterCall): Promise<DeploymentReport[]> {
    return this.#do(call, async (work) => {
      const statuses = await allStatuses(work, ({ name }) => keyOf(name, this.#installation) !== undefined);
      return statuses.flatMap((status) => {
        const key = keyOf(status.name, this.#installation);
        return key ? [reportOf(status, key)] : [];
      });
    });
  }

  logs(key: DeploymentKey, options: LogOptions, call: AdapterCall): Promise<Readable> {
    return this.#do(call, (work) => logs(work, key, options));
  }

  async close(): Promise<void> {
    this.#director.close();
    this.#managers.close();
  }

  async #do<T>(call: AdapterCall, run: (work: Work) => Promise<T>): Promise<T> {
    try {
      call.signal.throwIfAborted();
      return await run({
        director: this.#director,
        managers: this.#managers,
        settings: this.#settings,
        installation: this.#installation,
        call,
      });
    } catch (error) {
      throw translate(error);
    }
  }
}
