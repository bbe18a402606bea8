import type { AdapterOptions, PlatformAdapter } from '../../adapters/adapter.js';
import type { Config, PlatformConfig } from '../config.js';
import type { Users } from '../services/users.js';
import type { Store } from '../store/store.js';
import type { Closing } from './closing.js';
import type { DataDirectory } from './data-directory.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';

export interface Platforms {
  /** By the names of the configuration. */
  adapters: ReadonlyMap<string, PlatformAdapter>;
  /** URL of the embedded ConPaaS's Director. */
  director: string | undefined;
  /** The platforms that another gateway on the same database runs now. */
  elsewhere(): string[];
}

interface Parts {
  data: DataDirectory;
  store: Store;
  users: Users;
  log: Log;
  metrics: Metrics;
  closing: Closing;
}

/** Opens every configured platform; the embedded one is started before its adapter. */
export async function openPlatforms(
  config: Config,
  { data, store, users, log, metrics, closing }: Parts,
): Promise<Platforms> {
  const adapters = new Map<string, PlatformAdapter>();
  let director: string | undefined;
  let elsewhere = (): string[] => [];
  for (const platform of config.platforms) {
    let known: AdapterOptions = {};
    if (platform.embedded) {
      const { openEmbedded } = await import('./embedded.js');
      const conpaas = await openEmbedded(config, data.path, store, users, log);
      closing.add('ConPaaS', () => conpaas.close());
      if (conpaas.leads()) director = conpaas.directorUrl;
      elsewhere = () => (conpaas.leads() ? [] : [platform.name]);
      known = { ...conpaas.adapterOptions };
    }
    const adapter = await openAdapter(platform, known, store.installation, log, metrics);
    closing.add(`platform ${platform.name}`, () => adapter.close());
    adapters.set(platform.name, adapter);
  }
  return { adapters, director, elsewhere };
}

/** `known`: what the gateway itself says of an embedded platform. */
function openAdapter(
  { name, definition, options }: PlatformConfig,
  known: AdapterOptions,
  installation: string,
  log: Log,
  metrics: Metrics,
): Promise<PlatformAdapter> {
  return definition.create({
    platform: name,
    installation,
    options: { ...options, ...known },
    log: log.child({ platform: name }),
    onCall: metrics.callOf(name),
  });
}
