import type { RequestListener } from 'node:http';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from '../archives/index.js';
import type { Config } from '../config.js';
import type { Base } from '../http/options.js';
import type { OnEnd } from '../services/operations/runner.js';
import type { ServicesOptions } from '../services/services.js';
import type { WatcherOptions } from '../services/watcher.js';
import type { Store } from '../store/store.js';
import type { Closing } from './closing.js';
import type { Log } from './log.js';
import { createWebServer, type WebServer } from './web-server.js';

/** Where something listens. */
export interface Address {
  /** For people, e.g. `COAPS API`. */
  name: string;
  url: string;
}

const WATCH = 'watcher';

/** What the configuration means for single parts of the gateway. */

/** One base for each name of each platform, and `/rest` for all. */
export function basesOf({ platforms }: Pick<Config, 'platforms'>): Base[] {
  const named = platforms.flatMap(({ name, aliases }) =>
    [name, ...aliases].map((one) => ({ path: `/${one}-api/rest`, platform: name })),
  );
  return [...named, { path: '/rest' }];
}

export function archiveLimits({ limits }: Pick<Config, 'limits'>): ArchiveLimits {
  return { ...DEFAULT_ARCHIVE_LIMITS, entries: limits.entries, totalBytes: limits.unpacked };
}

/** Every address that people use; the base of the default platform first. */
export function addressesOf(
  { platforms, defaultPlatform }: Config,
  origin: string,
  director: string | undefined,
): Address[] {
  const names = [defaultPlatform, ...platforms.map(({ name }) => name).filter((name) => name !== defaultPlatform)];
  const addresses = names.map((name) => ({ name: 'COAPS API', url: `${origin}/${name}-api/rest` }));
  return director === undefined ? addresses : [...addresses, { name: 'Director', url: director }];
}

/** Health and metrics, when they have a port. */
export function managementServer(
  { management, limits }: Config,
  handler: RequestListener,
  log: Log,
): WebServer | undefined {
  const { host, port } = management;
  return port === undefined ? undefined : createWebServer({ host, port, limits, handler, log });
}

/**
 * Among several gateways on one database one watches the platforms. The holder is a data directory, not a process: a gateway that was
 * killed goes on watching as soon as it is back.
 */
export function watchOnce(
  { observe, platforms }: Config,
  owner: string,
  store: Store,
  closing: Closing,
  elsewhere: () => readonly string[],
): Pick<WatcherOptions, 'isHolder'> {
  closing.add('watch', () => store.conpaas.releaseLease(WATCH, owner));
  const lease = () => store.conpaas.lease(WATCH, owner, Math.ceil(3 * observe.interval) + 60);
  // The embedded platform is seen by the gateway that runs it alone.
  const embedded = platforms.find((platform) => platform.embedded)?.name;
  return {
    isHolder: async (platform) => (platform === embedded ? !elsewhere().includes(platform) : await lease()),
  };
}

/** How the durable work of this gateway is limited, and who it is: the same after a restart, so it knows its own tasks again. */
export function workOf({ limits, platforms }: Config, owner: string, onEnd: OnEnd): ServicesOptions['work'] {
  return {
    owner,
    onEnd,
    perPlatform: limits.operations,
    // Deleting all applications belongs to no platform.
    concurrency: limits.operations * (platforms.length + 1),
    queue: limits.queue,
  };
}

/** Nobody else holds the data directory, so whoever worked under this name before is dead. */
export async function takeOver({ operations }: Store, owner: string, log: Log): Promise<void> {
  const tasks = await operations.releaseAll(owner);
  if (tasks > 0) log.warn({ tasks }, 'The gateway did not end cleanly the last time; its tasks go on now');
}
