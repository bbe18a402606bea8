import type { AdapterLog, PlatformAdapter } from '../../adapters/adapter.js';
import type { PlatformInformation } from '../domain/model.js';
import type { Store } from '../store/store.js';
import { type ApplicationActions, createApplicationActions } from './application-actions.js';
import { type Applications, createApplications } from './applications.js';
import type { Artefacts } from './artefacts.js';
import type { Audit } from './audit.js';
import type { Context } from './context.js';
import { createDeployments, type Deployments } from './deployments.js';
import { createEnvironments, type Environments } from './environments.js';
import { describePlatform } from './information.js';
import { createInstances, type Instances } from './instances.js';
import { openLogs } from './logs.js';
import { createOperations, type Operations, type OperationsOptions } from './operations/operations.js';
import { createRunners } from './runners/runners.js';
import { createTasks, type Tasks } from './tasks.js';
import type { Users } from './users.js';
import { createVersions, type Versions } from './versions.js';
import { createWatcher, type Watcher, type WatcherOptions } from './watcher.js';

export interface ServicesOptions {
  store: Store;
  /** By the names of the configured platforms. */
  adapters: ReadonlyMap<string, PlatformAdapter>;
  /** Names of the adapters, for people: `memory`, `cloudfoundry`, … by platform. */
  adapterNames?: ReadonlyMap<string, string>;
  /** For environments created under `/rest` without a provider. Absent: the first. */
  defaultPlatform?: string;
  artefacts: Artefacts;
  users: Users;
  audit: Audit;
  log: AdapterLog;
  watch?: WatcherOptions;
  /** Limits of the durable work, and the hook that tests set. */
  work?: Omit<OperationsOptions, 'store' | 'runners' | 'log'>;
}

/** The rules of the gateway: everything that the API can do, without a word of HTTP. */
export interface Services {
  applications: Applications;
  actions: ApplicationActions;
  versions: Versions;
  instances: Instances;
  environments: Environments;
  deployments: Deployments;
  tasks: Tasks;
  users: Users;
  audit: Audit;
  operations: Operations;
  watcher: Watcher;
  information(base: string | undefined, signal: AbortSignal): Promise<PlatformInformation>;
  logs(
    ...request: Parameters<typeof openLogs> extends [Context, ...infer Rest] ? Rest : never
  ): ReturnType<typeof openLogs>;
  /** Begins to work and to watch. */
  start(): void;
  /** Ends both; what runs has `patience` milliseconds, and goes on at the next start after that. */
  stop(patience?: number): Promise<void>;
}

export function createServices(options: ServicesOptions): Services {
  const { store, adapters, adapterNames = new Map(), artefacts, users, audit, log } = options;
  const defaultPlatform = options.defaultPlatform ?? [...adapters.keys()][0] ?? '';
  const runners = createRunners({ store, adapters, artefacts, installation: store.installation });
  const operations = createOperations({ store, runners, log, ...options.work });
  const context: Context = { store, adapters, defaultPlatform, artefacts, operations, log };
  const watcher = createWatcher(context, options.watch);
  return {
    applications: createApplications(context, watcher),
    actions: createApplicationActions(context),
    versions: createVersions(context),
    instances: createInstances(context, watcher),
    environments: createEnvironments(context, watcher),
    deployments: createDeployments(context),
    tasks: createTasks(context),
    ...{ users, audit, operations, watcher },
    information: (base, signal) => describePlatform(context, adapterNames, base, signal),
    logs: (...request) => openLogs(context, ...request),
    start() {
      operations.start();
      watcher.start();
    },
    async stop(patience) {
      await Promise.all([watcher.stop(), operations.stop(patience)]);
    },
  };
}
