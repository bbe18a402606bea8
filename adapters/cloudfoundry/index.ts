import type { Readable } from 'node:stream';
import type {
  AdapterCall,
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
import { findApp, requireApp } from './application.js';
import { explained, type Foundry } from './client.js';
import { deploy } from './deploy.js';
import { createEnvironment } from './environment.js';
import { offer } from './info.js';
import { restart, scale, start, stop, undeploy } from './lifecycle.js';
import { logsOf } from './logs.js';
import { createObserver, type Observer } from './observe.js';
import { runnableArtefacts } from './runtimes.js';
import { deleteServices } from './services.js';

/** Cloud Foundry by its API version 3; it also works on Korifi. */
export class CloudFoundryAdapter implements PlatformAdapter {
  readonly capabilities: Capabilities;
  readonly #foundry: Foundry;
  readonly #observer: Observer;

  constructor(foundry: Foundry, installation: string) {
    this.#foundry = foundry;
    this.#observer = createObserver(foundry, installation);
    this.capabilities = {
      artefacts: runnableArtefacts(foundry.settings),
      scale: true,
      logs: true,
      followLogs: true,
      databases: true,
      replaceWithoutDowntime: true,
    };
  }

  info(call: AdapterCall): Promise<Offer> {
    return explained('The platform could not be asked', call.signal, () => offer(this.#foundry, call.signal));
  }

  createEnvironment(environment: EnvironmentSpec, call: AdapterCall): Promise<EnvironmentReport> {
    return explained('The environment could not be made', call.signal, () =>
      createEnvironment(this.#foundry, environment, call),
    );
  }

  deleteEnvironment(environment: EnvironmentKey, call: AdapterCall): Promise<void> {
    return explained('The environment could not be deleted', call.signal, () =>
      deleteServices(this.#foundry, environment, call),
    );
  }

  deploy(deployment: DeploymentSpec, call: AdapterCall): Promise<DeploymentReport> {
    return explained('The application could not be deployed', call.signal, () =>
      deploy(this.#foundry, deployment, call),
    );
  }

  undeploy(key: DeploymentKey, call: AdapterCall): Promise<void> {
    return explained('The application could not be undeployed', call.signal, async () => {
      const app = await findApp(this.#foundry, key, call.signal);
      await undeploy(this.#foundry, key, app, call);
    });
  }

  start(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return explained('The application could not be started', call.signal, () => start(this.#foundry, key, call));
  }

  stop(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return explained('The application could not be stopped', call.signal, () => stop(this.#foundry, key, call));
  }

  restart(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return explained('The application could not be restarted', call.signal, () => restart(this.#foundry, key, call));
  }

  scale(key: DeploymentKey, processes: number, call: AdapterCall): Promise<DeploymentReport> {
    return explained('The application could not be scaled', call.signal, () =>
      scale(this.#foundry, key, processes, call),
    );
  }

  observe(call: AdapterCall): Promise<DeploymentReport[]> {
    return explained('The applications could not be observed', call.signal, () => this.#observer.observe(call));
  }

  logs(key: DeploymentKey, options: LogOptions, call: AdapterCall): Promise<Readable> {
    return explained('The log could not be read', call.signal, async () =>
      logsOf(this.#foundry, await requireApp(this.#foundry, key, call.signal), options, call),
    );
  }

  async close(): Promise<void> {
    this.#foundry.close();
  }
}
