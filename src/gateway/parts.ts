import { hostname } from 'node:os';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from '../archives/index.js';
import type { Config } from '../config.js';
import type { Base, RequestEvent } from '../http/options.js';
import type { Audit } from '../services/audit.js';
import type { WatcherOptions } from '../services/watcher.js';
import type { Store } from '../store/store.js';
import type { Closing } from './closing.js';
import type { Log } from './log.js';
import type { Management } from './management.js';
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
  { handler }: Management,
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
  { data, observe, platforms }: Config,
  store: Store,
  closing: Closing,
  elsewhere: () => readonly string[],
): Pick<WatcherOptions, 'isHolder'> {
  const owner = `${hostname()}:${data}`;
  closing.add('watch', () => store.conpaas.releaseLease(WATCH, owner));
  const lease = () => store.conpaas.lease(WATCH, owner, Math.ceil(3 * observe.interval) + 60);
  // The embedded platform is seen by the gateway that runs it alone.
  const embedded = platforms.find((platform) => platform.embedded)?.name;
  return {
    isHolder: async (platform) => (platform === embedded ? !elsewhere().includes(platform) : await lease()),
  };
}

/** Who changed what: every request of a known user that was no mere look. */
export function record(
  { user, action, method, target, status, requestId }: RequestEvent,
  audit: Audit,
  log: Log,
): void {
  if (user === undefined || action === undefined || method === 'GET') return;
  audit.add({ user, action, target, status, requestId }).catch((error: unknown) => {
    log.error({ err: error, user, action, target, status, requestId }, 'An audit event could not be stored');
  });
}
