import { join } from 'node:path';
import { createHandlers } from './api/handlers.js';
import type { Config } from './config.js';
import { openArtefactStore } from './gateway/artefact-store.js';
import { assertRestored } from './gateway/backup/incomplete.js';
import { type Closing, createClosing } from './gateway/closing.js';
import { openDataDirectory } from './gateway/data-directory.js';
import { type Log, openLog } from './gateway/log.js';
import { createManagement } from './gateway/management.js';
import { createMetrics } from './gateway/metrics.js';
import { packageVersion } from './gateway/package.js';
import {
  type Address,
  addressesOf,
  archiveLimits,
  basesOf,
  managementServer,
  takeOver,
  watchOnce,
  workOf,
} from './gateway/parts.js';
import { every } from './gateway/periodic.js';
import { openPlatforms } from './gateway/platforms.js';
import { databaseUrl } from './gateway/store-move.js';
import { createTrail } from './gateway/trail.js';
import { createWebServer } from './gateway/web-server.js';
import { createListener } from './http/front.js';
import { createArtefacts } from './services/artefacts.js';
import { createAudit } from './services/audit.js';
import { createRetention } from './services/retention.js';
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
/** Seconds in which those who waited for a task are told that it goes on. */
const GOODBYE = 2;

/** Opens everything that the configuration names; nothing listens yet. When a part cannot be opened, the others are closed again. */
export async function openGateway(config: Config, hooks: GatewayHooks = {}): Promise<Gateway> {
  const log = hooks.log ?? (await openLog(config.log.level));
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
  await takeOver(store, data.id, log);
  const { limits, artefacts: kept, auth } = config;
  const files = await openArtefactStore(config, store.installation);
  closing.add('artefacts', () => files.close());
  const artefacts = createArtefacts({
    files,
    store,
    limits: {
      size: limits.upload,
      archive: archiveLimits(config),
      allowPrivate: kept.allowPrivate,
      disk: { folder: data.path, floor: limits.diskFloor },
    },
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
  const trail = createTrail(audit, log);
  closing.add('audit trail', () => trail.settled());
  const generatedPassword = await users.ensureAdmin(config.admin.password);
  const metrics = createMetrics();
  const parts = { data, store, users, log, metrics, closing };
  const { adapters, director, elsewhere } = await openPlatforms(config, parts);
  const services = createServices({
    store,
    adapters,
    adapterNames: new Map(config.platforms.map(({ name, definition }) => [name, definition.name])),
    defaultPlatform: config.defaultPlatform,
    artefacts,
    users,
    audit,
    log,
    watch: { interval: config.observe.interval, ...watchOnce(config, data.id, store, closing, elsewhere) },
    work: { elsewhere, ...workOf(config, data.id, metrics.ended), ...hooks.work },
  });
  metrics.watch({
    platforms: [...adapters.keys()],
    load: () => store.operations.load(),
    troubles: () => services.watcher.troubles,
  });
  let serving = false;
  const management = createManagement(metrics, {
    // Ready is who can write: readers on SQLite wait for nobody.
    check: () => store.transaction(async ({ users }) => void (await users.get('admin'))),
    serving: () => serving,
  });
  const handler = createListener({
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
    revisions: store.revisions,
    keep: config.cache.size,
    limits: {
      document: limits.descriptor,
      artefact: limits.upload,
      bodySeconds: limits.bodyTimeout,
      uploadsPerUser: limits.uploadsPerUser,
    },
    log,
    onRequest(event) {
      metrics.request(event);
      trail.add(event);
    },
  });
  const api = createWebServer({ ...config.listen, limits, handler, log });
  const health = managementServer(config, management, log);
  const retain = createRetention(store, config.retention);
  return {
    generatedPassword,
    async listen() {
      // Opened first, so that it is closed last: it tells of the shutdown.
      const managementUrl = await health?.listen();
      if (health) closing.add('management', () => health.close(0));
      const origin = await api.listen();
      closing.add('web server and tasks', async () => {
        await Promise.all([api.close(limits.shutdown + GOODBYE), services.stop(limits.shutdown * 1000)]);
      });
      services.start();
      const sweeps = [
        every(HOUR, 'The artefacts could not be swept', log, () => artefacts.sweep()),
        every(HOUR, 'Old tasks and audit events could not be deleted', log, retain),
      ];
      closing.add('sweeping', async () => void (await Promise.all(sweeps.map((one) => one.stop()))));
      serving = true;
      const addresses = addressesOf(config, origin, director);
      return managementUrl === undefined ? addresses : [...addresses, { name: 'Management', url: managementUrl }];
    },
    close() {
      serving = false;
      return closing.close();
    },
  };
}
