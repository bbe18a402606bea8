import type { Config } from '../config.js';
import { type Conpaas, type ConpaasOptions, openConpaas } from '../conpaas/system.js';
import { openUrl } from '../services/artefact-url.js';
import { conpaasUsers } from '../services/conpaas-users.js';
import { assertRoom } from '../services/disk-room.js';
import type { Users } from '../services/users.js';
import type { Store } from '../store/store.js';
import type { Log } from './log.js';
import { archiveLimits } from './parts.js';

const ADDRESSES = '127.77.0.0/16';
/** Only Linux and Windows answer on all of 127.0.0.0/8. */
const SINGLE_ADDRESS = '127.0.0.1';
const APPLICATION_PORTS = { first: 20_000, last: 20_999 };
const UIDS = { first: 200_000, last: 265_535 };
const FETCH_LIMIT = 600_000;

/** Starts the ConPaaS inside this gateway. */
export async function openEmbedded(
  config: Config,
  data: string,
  store: Store,
  users: Users,
  log: Log,
): Promise<Conpaas> {
  const { listen, managerPort, appPort, databasePort, maxCredit } = config.conpaas;
  const isolated = process.getuid?.() === 0;
  if (!isolated)
    log.warn(
      {},
      'Uploaded applications run as the user of the gateway, which is not root: they can read what it can read.',
    );
  if (process.platform === 'darwin')
    log.warn(
      {},
      'macOS has one loopback address: services get ports of their own on it, which old ConPaaS clients do not know.',
    );
  return await openConpaas({
    dataDir: data,
    host: listen.host,
    port: listen.port,
    ...(managerPort !== undefined && { managerPort }),
    ...(appPort !== undefined && { appPort }),
    ...(databasePort !== undefined && { databasePort }),
    addresses: config.conpaas.addresses ?? (process.platform === 'darwin' ? SINGLE_ADDRESS : ADDRESSES),
    ...applicationHost(config),
    ...(isolated && { uids: config.conpaas.uids ?? UIDS }),
    registration: config.conpaas.registration ?? (isolated ? 'open' : 'closed'),
    maxCredit,
    installation: store.installation,
    store: store.conpaas,
    users: conpaasUsers(users, store),
    limits: archiveLimits(config),
    largestUpload: config.limits.upload,
    admitUpload: (bytes) => assertRoom({ folder: data, floor: config.limits.diskFloor }, bytes),
    names: namesOf(config),
    fetchArchive: (url) =>
      openUrl(
        url,
        { size: config.limits.upload, allowPrivate: config.artefacts.allowPrivate },
        AbortSignal.timeout(FETCH_LIMIT),
      ),
    log: log.child({ part: 'conpaas' }),
  });
}

function applicationHost({ conpaas: { apps } }: Config): Pick<ConpaasOptions, 'apps'> {
  const { host, ports = APPLICATION_PORTS, publicHost } = apps;
  return host === undefined ? {} : { apps: { host, ports, ...(publicHost !== undefined && { publicHost }) } };
}

/** Host names under which people reach this machine: the Director's certificate carries them. */
function namesOf({ publicUrl, conpaas }: Config): string[] {
  const { publicHost } = conpaas.apps;
  return [
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname]),
    ...(publicHost === undefined ? [] : [publicHost]),
  ];
}
