import type { Readable } from 'node:stream';
import {
  type AdapterCall,
  type AdapterContext,
  AdapterError,
  type Capabilities,
  type DeploymentKey,
  type DeploymentReport,
  type DeploymentSpec,
  type EnvironmentKey,
  type EnvironmentReport,
  type EnvironmentSpec,
  type LogOptions,
  type Offer,
  type PlatformAdapter,
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
  return new ConpaasAdapter(await readSettings(context), context);
}

/** The platform, spoken to with one certificate. */
interface Connection {
  settings: Settings;
  director: DirectorApi;
  managers: ManagerClients;
}

function connect(settings: Settings): Connection {
  return { settings, director: createDirectorApi(settings), managers: createManagerClients(settings) };
}

/** Deploys on a ConPaaS through its public API, with a user's certificate: what it can do, any ConPaaS client can. */
export class ConpaasAdapter implements PlatformAdapter {
  readonly capabilities: Capabilities = {
    artefacts: ['war', 'jar', 'zip'],
    scale: true,
    logs: true,
    followLogs: true,
    databases: true,
    replaceWithoutDowntime: true,
  };
  readonly #context: AdapterContext;
  #connection: Connection;

  constructor(settings: Settings, context: AdapterContext) {
    this.#context = context;
    this.#connection = connect(settings);
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
      const statuses = await allStatuses(work, ({ name }) => keyOf(name, work.installation) !== undefined);
      return statuses.flatMap((status) => {
        const key = keyOf(status.name, work.installation);
        return key ? [reportOf(status, key)] : [];
      });
    });
  }

  logs(key: DeploymentKey, options: LogOptions, call: AdapterCall): Promise<Readable> {
    return this.#do(call, (work) => logs(work, key, options));
  }

  async close(): Promise<void> {
    this.#disconnect(this.#connection);
  }

  async #do<T>(call: AdapterCall, run: (work: Work) => Promise<T>): Promise<T> {
    const { installation } = this.#context;
    const connection = this.#connection;
    try {
      call.signal.throwIfAborted();
      return await run({ ...connection, installation, call });
    } catch (error) {
      const translated = translate(error);
      const refused = translated instanceof AdapterError && translated.kind === 'unauthorized';
      if (!refused || !(await this.#renewed(connection))) throw translated;
      return await this.#do(call, run);
    }
  }

  /** Whether there is another certificate by now than the one that was refused: its files are renewed from time to time. */
  async #renewed(refused: Connection): Promise<boolean> {
    if (this.#connection !== refused) return true;
    const settings = await readSettings(this.#context);
    if (settings.certificate === refused.settings.certificate) return false;
    this.#connection = connect(settings);
    this.#disconnect(refused);
    return true;
  }

  #disconnect({ director, managers }: Connection): void {
    director.close();
    managers.close();
  }
}
