import { randomInt } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { processesOf } from '../support/child-gateway.js';
import { type FakeCloudFoundry, startCloudFoundry } from '../support/cloudfoundry.js';
import { type FakeOpenShift, startFakeOpenShift } from '../support/openshift.js';
import { type PostgresServer, startPostgres } from '../support/postgres.js';
import { type Front, openFront } from './front.js';
import { type GatewayPlace, gatewayPlace } from './gateways.js';
import { type History, openHistory } from './history.js';
import { lastingPort } from './ports.js';

export const ADMIN = 'admin:admin-of-the-crash-test';

export interface SceneOptions {
  store: 'sqlite' | 'postgres';
  /** Seconds after which another gateway takes over what a dead one ran. */
  leaseSeconds: number;
  /** Default: two on PostgreSQL, one on SQLite. */
  gateways?: number;
  /** Of Node, for the gateways. */
  flags?: readonly string[];
  /** More variables for the gateways. */
  env?: Record<string, string>;
}

/** Everything that a run needs: the fake platforms, the database, the gateways, a folder for all of it. */
export interface Scene {
  directory: string;
  logs: string;
  history: History;
  gateways: GatewayPlace[];
  cloudFoundry: { fake: FakeCloudFoundry; front: Front };
  openShift: { fake: FakeOpenShift; front: Front };
  database: PostgresServer | undefined;
  /** URL of the store. */
  store: string;
  /** The data directory of each gateway. */
  hosts: string[];
  /** The folder that gateways take for temporary files. */
  temporary: string;
  /** Processes that were started here by gateways, the gateways among them, and live. */
  processes(): number[];
  /** Ends everything. The folder stays when somebody wants to look at it. */
  close(keep: boolean): Promise<void>;
}

export async function openScene(options: SceneOptions): Promise<Scene> {
  const { store, leaseSeconds, gateways: many, flags = [] } = options;
  const directory = await mkdtemp(join(tmpdir(), 'coaps-killed-'));
  // Applications with Unix ids of their own have to be able to walk to their folders below it.
  await chmod(directory, 0o755);
  const [logs, temporary] = [join(directory, 'logs'), join(directory, 'tmp')];
  for (const folder of [logs, temporary]) mkdirSync(folder);
  const history = openHistory(join(logs, 'history.txt'));
  const [cloudFoundry, openShift] = await Promise.all([openCloudFoundry(), openOpenShift()]);
  const database = store === 'postgres' ? await startPostgres() : undefined;
  const data = join(directory, 'one');
  const url = database ? await database.createDatabase() : `sqlite:${join(data, 'coaps.db')}`;
  const names = ['one', 'two'].slice(0, many ?? (database ? 2 : 1));
  if (database) shareArtefacts(directory);
  // Each host has its own: the second one runs the embedded platform only when the first one has never had anything on it.
  const network = randomInt(80, 230);
  const file = join(directory, 'coaps.yaml');
  writeFileSync(file, stringify({ platforms: platformsOf({ cloudFoundry, openShift }), observe: { interval: 1 } }));
  const places = names.map(async (name, index) => {
    const [port, directorPort, managementPort] = [await lastingPort(), await lastingPort(), await lastingPort()];
    return gatewayPlace({
      name,
      port,
      managementPort,
      directory,
      data: join(directory, name),
      flags,
      leaseSeconds,
      log: join(logs, `${name}.log`),
      history,
      env: {
        COAPS_CONFIG: file,
        COAPS_CONPAAS_PORT: String(directorPort),
        COAPS_CONPAAS_ADDRESSES: `127.${network + index}.0.0/16`,
        COAPS_ADMIN_PASSWORD: ADMIN.slice('admin:'.length),
        COAPS_SECRET_KEY: 'the secret key of a crash test',
        COAPS_PATIENCE: '20',
        COAPS_LOG_LEVEL: 'info',
        ...(database && { COAPS_DATABASE_URL: url }),
        TMPDIR: temporary,
        ...options.env,
        // All that is started here is found by it.
        PATH: `${process.env['PATH']}:${directory}`,
      },
    });
  });
  const gateways = await Promise.all(places);
  const hosts = names.map((name) => join(directory, name));
  return {
    ...{ directory, logs, history, gateways, cloudFoundry, openShift, database, store: url, hosts, temporary },
    processes: () => processesOf(directory),
    async close(keep) {
      for (const gateway of gateways) await gateway.kill();
      for (const host of hosts) await stopAll(host);
      await Promise.all([cloudFoundry.front.close(), openShift.front.close()]);
      await Promise.all([cloudFoundry.fake.close(), openShift.fake.close(), database?.stop()]);
      if (!keep) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The addresses that the platform tells of itself lead through the front, too. */
async function openCloudFoundry(): Promise<Scene['cloudFoundry']> {
  const fake = await startCloudFoundry();
  const front = await openFront(fake.world.urls.api);
  fake.world.urls.api = front.url;
  return { fake, front };
}

async function openOpenShift(): Promise<Scene['openShift']> {
  const fake = await startFakeOpenShift({ second: 20 });
  return { fake, front: await openFront(fake.url) };
}

function platformsOf({ cloudFoundry, openShift }: Pick<Scene, 'cloudFoundry' | 'openShift'>) {
  const waits = { buildStartTimeout: 60, buildTimeout: 60, rolloutTimeout: 2400, deleteTimeout: 60 };
  return {
    CP: { adapter: 'conpaas', embedded: true },
    CF: { adapter: 'cloudfoundry', ...cloudFoundry.fake.options({ pollInterval: 0.05 }) },
    OS: { adapter: 'openshift', server: openShift.front.url, token: openShift.fake.token('alice'), ...waits },
  };
}

/** Both gateways keep artefacts in one folder, as on a shared volume. */
function shareArtefacts(directory: string): void {
  for (const name of ['one', 'two']) mkdirSync(join(directory, name), { mode: 0o700 });
  mkdirSync(join(directory, 'one', 'artefacts'), { mode: 0o700 });
  symlinkSync(join(directory, 'one', 'artefacts'), join(directory, 'two', 'artefacts'));
}
