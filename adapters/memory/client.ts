import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { AdapterLog } from '../adapter.js';
import { PlatformRefusal } from './errors.js';
import {
  type DeploymentLabels,
  type PlatformDeployment,
  type PlatformObjects,
  type PlatformRelease,
  type PlatformSpace,
  type SpaceLabels,
  sameDeployment,
  sameSpace,
} from './objects.js';
import { createRoutes } from './routes.js';
import { loadObjects, saveObjects } from './state-file.js';

const KEPT_LOG_LINES = 1000;
const CRASH = 'The application exited with status 1: Exception in thread "main"';
const STAGING_FAILURE = 'Staging failed: no start command was found.\n-----> detecting\n       none of 9 groups passed';

export interface PlatformOptions {
  /** Where the state is kept; absent: nowhere. */
  folder?: string;
  /** Milliseconds of each simulated step. */
  delay?: number;
  log?: AdapterLog;
}

/** Switches with which a test makes the platform misbehave. */
export interface Trouble {
  /** Every request fails as if nobody listened. */
  down?: boolean;
  /** The gateway's credentials are refused. */
  locked?: boolean;
  /** So many requests are answered with 429 first. */
  tooMany?: number;
  /** Milliseconds that each step of work takes, instead of the option `delay`. */
  delay?: number;
  /** What happens to every application, as the environment variable MEMORY_TROUBLE makes it happen to one. */
  application?: 'staging' | 'crash';
}

/** The simulated platform as its client sees it: each method is one request, and what it answers is a copy. */
export class MemoryPlatform {
  readonly trouble: Trouble = {};
  readonly #options: PlatformOptions;
  readonly #objects: PlatformObjects;
  readonly #routes = createRoutes();
  readonly #lines = new EventEmitter().setMaxListeners(0);

  constructor(options: PlatformOptions = {}) {
    this.#options = options;
    this.#objects = loadObjects(options.folder);
  }

  /** Gives every kept deployment its address back. */
  async recover(): Promise<void> {
    for (const deployment of this.#objects.deployments) {
      const port = await this.#listen(deployment.id, deployment.port);
      if (port === deployment.port) continue;
      this.#options.log?.warn(
        { id: deployment.id, port },
        'the port of a deployment was taken; it has another one now',
      );
      deployment.port = port;
    }
  }

  async spaces(signal: AbortSignal): Promise<PlatformSpace[]> {
    await this.#arrive(signal);
    return structuredClone(this.#objects.spaces);
  }

  async putSpace(space: Omit<PlatformSpace, 'id'>, signal: AbortSignal): Promise<PlatformSpace> {
    await this.#arrive(signal);
    const found = this.#objects.spaces.find((one) => sameSpace(one, space));
    const made = found ? Object.assign(found, space) : { ...space, id: this.#newId('space') };
    if (!found) this.#objects.spaces.push(made);
    return this.#saved(made);
  }

  async deleteSpace(labels: SpaceLabels, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal);
    this.#objects.spaces = this.#objects.spaces.filter((one) => !sameSpace(one, labels));
    this.#save();
  }

  async deployments(signal: AbortSignal): Promise<PlatformDeployment[]> {
    await this.#arrive(signal);
    return structuredClone(this.#objects.deployments);
  }

  async find(labels: DeploymentLabels, signal: AbortSignal): Promise<PlatformDeployment | undefined> {
    await this.#arrive(signal);
    return structuredClone(this.#objects.deployments.find((one) => sameDeployment(one, labels)));
  }

  /** Without a release: nothing can be started yet. */
  async create(labels: DeploymentLabels, signal: AbortSignal): Promise<PlatformDeployment> {
    await this.#arrive(signal);
    const id = this.#newId('deployment');
    const port = await this.#listen(id);
    const { installation, appId, envId, instanceId } = labels;
    const made: PlatformDeployment = {
      ...{ id, installation, appId, envId, instanceId, port },
      ...{ started: false, processes: 1, memory: 64, log: [] },
    };
    this.#objects.deployments.push(made);
    return this.#saved(made);
  }

  /** Makes a release runnable. Returns why it cannot be, with the log's tail. */
  async stage(release: PlatformRelease, signal: AbortSignal): Promise<string | undefined> {
    await this.#arrive(signal);
    await this.work(signal);
    return this.#troubleOf(release) === 'staging' ? STAGING_FAILURE : undefined;
  }

  /** Puts the release in place of the current one; where that is started, only when the new one does not crash. Returns the crash. */
  async activate(labels: DeploymentLabels, release: PlatformRelease, signal: AbortSignal): Promise<string | undefined> {
    await this.#arrive(signal);
    const deployment = this.#need(labels);
    if (deployment.started && this.#troubleOf(release) === 'crash') {
      this.#write(deployment, CRASH);
      return CRASH;
    }
    deployment.release = release;
    delete deployment.crash;
    if (deployment.started) this.#write(deployment, `version ${release.versionId} started`);
    this.#save();
    return undefined;
  }

  async start(labels: DeploymentLabels, signal: AbortSignal): Promise<PlatformDeployment> {
    await this.#arrive(signal);
    const deployment = this.#need(labels);
    const { release } = deployment;
    if (deployment.started || !release) return structuredClone(deployment);
    if (this.#troubleOf(release) === 'crash') {
      deployment.crash = CRASH;
      this.#write(deployment, CRASH);
      return this.#saved(deployment);
    }
    delete deployment.crash;
    deployment.started = true;
    this.#write(deployment, `version ${release.versionId} started with ${deployment.processes} processes`);
    return this.#saved(deployment);
  }

  async stop(labels: DeploymentLabels, signal: AbortSignal): Promise<PlatformDeployment> {
    await this.#arrive(signal);
    const deployment = this.#need(labels);
    if (deployment.started) this.#write(deployment, 'stopped');
    deployment.started = false;
    delete deployment.crash;
    return this.#saved(deployment);
  }

  async resize(
    labels: DeploymentLabels,
    size: Partial<Pick<PlatformDeployment, 'processes' | 'memory'>>,
    signal: AbortSignal,
  ): Promise<PlatformDeployment> {
    await this.#arrive(signal);
    return this.#saved(Object.assign(this.#need(labels), size));
  }

  async delete(labels: DeploymentLabels, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal);
    const found = this.#objects.deployments.find((one) => sameDeployment(one, labels));
    if (!found) return;
    this.#objects.deployments = this.#objects.deployments.filter((one) => one !== found);
    await this.#routes.close(found.id);
    this.#save();
  }

  /** Calls `listener` with each new line of the deployment's log. Returns how to end that. */
  onLog(id: string, listener: (line: string) => void): () => void {
    this.#lines.on(id, listener);
    return () => this.#lines.off(id, listener);
  }

  /** One abortable step of work. */
  async work(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const milliseconds = this.trouble.delay ?? this.#options.delay ?? 0;
    if (milliseconds <= 0) return;
    await pause(milliseconds, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
  }

  async close(): Promise<void> {
    await this.#routes.closeAll();
    this.#save();
  }

  /** What every request goes through. */
  async #arrive(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await Promise.resolve();
    if (this.trouble.down) throw new PlatformRefusal(503, 'The simulated platform does not answer.');
    if (this.trouble.locked) throw new PlatformRefusal(401, 'The simulated platform refuses the credentials.');
    if (!this.trouble.tooMany) return;
    this.trouble.tooMany -= 1;
    throw new PlatformRefusal(429, 'The simulated platform has too much to do.', 0.05);
  }

  #troubleOf(release: PlatformRelease): string | undefined {
    return release.variables['MEMORY_TROUBLE'] ?? this.trouble.application;
  }

  #need(labels: DeploymentLabels): PlatformDeployment {
    const found = this.#objects.deployments.find((one) => sameDeployment(one, labels));
    if (found) return found;
    throw new PlatformRefusal(404, `The platform has no deployment of application ${labels.appId} there.`);
  }

  #listen(id: string, port?: number): Promise<number> {
    const find = () => this.#objects.deployments.find((one) => one.id === id);
    return this.#routes.open(id, { find, write: (deployment, line) => this.#write(deployment, line) }, port);
  }

  #write(deployment: PlatformDeployment, line: string): void {
    deployment.log.push(line);
    if (deployment.log.length > KEPT_LOG_LINES) deployment.log.splice(0, deployment.log.length - KEPT_LOG_LINES);
    this.#lines.emit(deployment.id, line);
  }

  #newId(kind: string): string {
    return `${kind}-${this.#objects.nextId++}`;
  }

  #saved<T>(made: T): T {
    this.#save();
    return structuredClone(made);
  }

  #save(): void {
    saveObjects(this.#options.folder, this.#objects);
  }
}
