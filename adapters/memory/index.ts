import { PassThrough, Readable } from 'node:stream';
import {
  type AdapterCall,
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
import type { MemoryPlatform } from './client.js';
import { deploy } from './deploy.js';
import { translate } from './errors.js';
import { createEnvironment, OFFER } from './services.js';
import { reportOf } from './states.js';

/** The reference adapter: the contract, kept to the letter, on a simulated platform. */
export class MemoryAdapter implements PlatformAdapter {
  readonly capabilities: Capabilities = {
    artefacts: ['war', 'ear', 'jar', 'zip'],
    scale: true,
    logs: true,
    followLogs: true,
    databases: true,
    replaceWithoutDowntime: true,
  };
  readonly #platform: MemoryPlatform;
  readonly #installation: string;

  constructor(platform: MemoryPlatform, installation: string) {
    this.#platform = platform;
    this.#installation = installation;
  }

  info(call: AdapterCall): Promise<Offer> {
    return translated(async () => {
      await this.#platform.spaces(call.signal);
      return structuredClone(OFFER);
    });
  }

  createEnvironment(environment: EnvironmentSpec, call: AdapterCall): Promise<EnvironmentReport> {
    return translated(() => createEnvironment(this.#platform, environment, call));
  }

  deleteEnvironment(environment: EnvironmentKey, call: AdapterCall): Promise<void> {
    return translated(async () => {
      await this.#platform.work(call.signal);
      await this.#platform.deleteSpace(environment, call.signal);
    });
  }

  deploy(deployment: DeploymentSpec, call: AdapterCall): Promise<DeploymentReport> {
    return translated(() => deploy(this.#platform, deployment, call));
  }

  undeploy(key: DeploymentKey, call: AdapterCall): Promise<void> {
    return translated(async () => {
      call.step('remove');
      await this.#platform.work(call.signal);
      await this.#platform.delete(key, call.signal);
    });
  }

  start(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return translated(async () => {
      call.step('start');
      await this.#platform.work(call.signal);
      const started = await this.#platform.start(key, call.signal);
      if (started.crash !== undefined) throw new AdapterError('failed', started.crash);
      return reportOf(started);
    });
  }

  stop(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    return translated(async () => {
      call.step('stop');
      await this.#platform.work(call.signal);
      return reportOf(await this.#platform.stop(key, call.signal));
    });
  }

  async restart(key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
    await this.stop(key, call);
    return this.start(key, call);
  }

  scale(key: DeploymentKey, processes: number, call: AdapterCall): Promise<DeploymentReport> {
    return translated(async () => {
      await this.#platform.work(call.signal);
      return reportOf(await this.#platform.resize(key, { processes }, call.signal));
    });
  }

  observe(call: AdapterCall): Promise<DeploymentReport[]> {
    return translated(async () => {
      const all = await this.#platform.deployments(call.signal);
      return all.filter((one) => one.installation === this.#installation).map(reportOf);
    });
  }

  logs(key: DeploymentKey, options: LogOptions, call: AdapterCall): Promise<Readable> {
    return translated(async () => {
      const found = await this.#platform.find(key, call.signal);
      if (!found) throw new AdapterError('not-found', 'The platform has no such deployment.');
      const recent = options.lines > 0 ? found.log.slice(-options.lines) : [];
      if (!options.follow) return Readable.from(recent.map((line) => `${line}\n`));
      return this.#follow(found.id, recent, call.signal);
    });
  }

  close(): Promise<void> {
    return this.#platform.close();
  }

  #follow(id: string, recent: readonly string[], signal: AbortSignal): Readable {
    const stream = new PassThrough();
    for (const line of recent) stream.write(`${line}\n`);
    const stop = this.#platform.onLog(id, (line) => stream.write(`${line}\n`));
    const end = () => stream.end();
    signal.addEventListener('abort', end, { once: true });
    stream.once('close', () => {
      stop();
      signal.removeEventListener('abort', end);
    });
    if (signal.aborted) end();
    return stream;
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}
