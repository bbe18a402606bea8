import { join } from 'node:path';
import { createHandlers } from './api/handlers.js';
import type { Config } from './config.js';
import { openArtefactStore } from './gateway/artefact-store.js';
import { assertRestored } from './gateway/backup/incomplete.js';
import { type Closing, createClosing } from './gateway/closing.js';
import { openDataDirectory } from './gateway/data-directory.js';
import { type Log, openLog } from './gateway/log.js';
import { createManagement } from './gateway/management.js';
import { packageVersion } from './gateway/package.js';
import {
  type Address,
  addressesOf,
  archiveLimits,
  basesOf,
  managementServer,
  record,
  watchOnce,
} from './gateway/parts.js';
import { every } from './gateway/periodic.js';
import { openPlatforms } from './gateway/platforms.js';
import { databaseUrl } from './gateway/store-move.js';
import { createWebServer } from './gateway/web-server.js';
import { createApp } from './http/app.js';
import { createArtefacts } from './services/artefacts.js';
import { createAudit } from './services/audit.js';
import { sealingKey } from './services/sealing.js';
import { createServices, type ServicesOptions } from './services/services.js';
import { createUsers } from './services/users.js';
import { openStore } from './store/open.js';

export interface Gateway {
  /** The password of `admin`, when this start made that user and nobody gave one. */
  readonly generatedPassword: string | undefined;
  /** Begins to serve and to work; gives every address, the base of the default platform first. */
  listen(): Promise<Address[]>;
  /** Lets running requests end, gives tasks back, closes everything. What runs on the platforms goes on. */
  close(): Promise<void>;
}

/** For tests: what they see or change of a gateway's inner life. */
export interface GatewayHooks {
  log?: Log;
  /** How tasks are carried out: `onStep` is called at each moment at which a crash makes a difference. */
  work?: ServicesOptions['work'];
}

const HOUR = 3_600_000;

/** Opens everything that the configuration names; nothing listens yet. When a part cannot be opened, the others are closed again. */
export async function openGateway(config: Config, hooks: GatewayHooks = {}): Promise<Gateway> {
  const log = hooks.log ?? openLog(config.log.level);
  for (const warning of config.warnings) log.warn({}, warning);
  const closing = createClosing(log);
  try {
    return await open(config, hooks, log, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function open(config: Config, hooks: GatewayHooks, log: Log, closing: Closing): Promise<Gateway> {
  const data = openDataDirectory(config.data);
  closing.add('data directory', () => data.release());
  assertRestored(data.path);
  const store = await openStore({ url: databaseUrl(config), log });
  closing.add('store', () => store.close());
  const { limits, artefacts: kept, auth } = config;
  const files = await openArtefactStore(config);
  closing.add('artefacts', () => files.close());
  const artefacts = createArtefacts({
    files,
    store,
    limits: { size: limits.upload, archive: archiveLimits(config), allowPrivate: kept.allowPrivate },
    dropFolder: kept.dropFolder,
  });
  const users = createUsers({
    store,
    secretKey: sealingKey(config.secretKey, join(data.path, 'secret.key')),
    log,
    anonymous: auth.anonymous !== undefined,
    credit: config.conpaas.maxCredit,
  });
  const audit = createAudit({ store });
  const generatedPassword = await users.ensureAdmin(config.admin.password);
  const { adapters, director, elsewhere } = await openPlatforms(config, { data, store, users, log, closing });
  const services = createServices({
    store,
    adapters,
    adapterNames: new Map(config.platforms.map(({ name, definition }) => [name, definition.name])),
    defaultPlatform: config.defaultPlatform,
    artefacts,
    users,
    audit,
    log,
    watch: { interval: config.observe.interval, ...watchOnce(config, store, closing, elsewhere) },
    work: { elsewhere, ...hooks.work },
  });
  const management = createManagement(async () => void (await store.users.get('admin')));
  const app = createApp({
    handlers: createHandlers(services),
    authentication: users,
    artefacts,
    bases: basesOf(config),
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    ...(auth.anonymous !== undefined && { anonymous: auth.anonymous }),
    commonParameters: config.commonParameters,
    patience: config.patience,
    version: packageVersion(),
    platforms: config.platforms.map(({ name }) => name),
    capabilities: (platform) => adapters.get(platform)?.capabilities,
    limits: { document: limits.descriptor, artefact: limits.upload },
    log,
    onRequest(event) {
      management.observe(event);
      record(event, audit, log);
    },
  });
  const api = createWebServer({ ...config.listen, limits, handler: app, log });
  const health = managementServer(config, management, log);
  return {
    generatedPassword,
    async listen() {
      const origin = await api.listen();
      closing.add('web server and tasks', async () => {
        await Promise.all([api.close(limits.shutdown), services.stop(limits.shutdown * 1000)]);
      });
      const addresses = addressesOf(config, origin, director);
      if (health) {
        addresses.push({ name: 'Management', url: await health.listen() });
        closing.add('management', () => health.close(0));
      }
      services.start();
      const sweeping = every(HOUR, 'The artefacts could not be swept', log, () => artefacts.sweep());
      closing.add('sweeping', () => sweeping.stop());
      return addresses;
    },
    close: () => closing.close(),
  };
}
