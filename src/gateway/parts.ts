import type { AdapterOptions, PlatformAdapter } from '../../adapters/adapter.js';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from '../archives/index.js';
import type { Config, PlatformConfig } from '../config.js';
import type { Base, RequestEvent } from '../http/options.js';
import type { Audit } from '../services/audit.js';
import type { Log } from './log.js';

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

/** `given`: what the gateway itself knows of an embedded platform. */
export async function openAdapter(
  { name, definition, options }: PlatformConfig,
  installation: string,
  log: Log,
  given: AdapterOptions = {},
): Promise<PlatformAdapter> {
  return await definition.create({
    platform: name,
    installation,
    options: { ...options, ...given },
    log: log.child({ platform: name }),
  });
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
