import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from '../archives/index.js';
import { type ConpaasStore, type ConpaasUsers, SERVICE_TYPES, type ServiceType } from '../domain/conpaas.js';
import { type AddressOptions, createAddressBook, isFree } from './addresses.js';
import { detectRuntimes, type RuntimeReport } from './agent/runtimes/index.js';
import { createCertification } from './certification.js';
import type { Cloud } from './cloud/cloud.js';
import { localCloud } from './cloud/local.js';
import type { Director } from './director/endpoint.js';
import { createDirectorHandler } from './director/http.js';
import { packer } from './director/package.js';
import { ENDPOINTS } from './director/table.js';
import { openUserData } from './director/user-data.js';
import { openDoors } from './doors.js';
import { every } from './duties.js';
import { gatewayUser } from './gateway-user.js';
import { createLeadership, hostId } from './host.js';
import { endsSoon } from './key-files.js';
import type { ConpaasLog } from './log.js';
import type { ManagerContext } from './manager/manager.js';
import { createManagers } from './manager/managers.js';
import { methodsOf } from './manager/methods/table.js';
import { openOwnAuthority, ownCredential } from './own-certificates.js';
import { createSecureServer } from './secure-server.js';

export interface ConpaasOptions {
  /** The gateway's data directory; ConPaaS lives in `conpaas` of it. */
  dataDir: string;
  /** Where the Director listens; port 0 takes a free one. */
  host: string;
  port: number;
  /** Absent: 443, or 8443 where that cannot be bound. */
  managerPort?: number;
  /** Absent: 80, or 8000 where that cannot be bound. */
  appPort?: number;
  /** Absent: 3306, or 13306 where that cannot be bound. */
  databasePort?: number;
  /** e.g. `127.77.0.0/16` */
  addresses: string;
  apps?: AddressOptions['apps'];
  /** Unix ids for uploaded code. */
  uids?: { first: number; last: number };
  registration: 'open' | 'closed';
  maxCredit: number;
  installation: string;
  store: ConpaasStore;
  users: ConpaasUsers;
  limits?: ArchiveLimits;
  /** Bytes of an uploaded archive. */
  largestUpload?: number;
  /** Asked before an upload of so many bytes is taken; throws a Fault when there is no room for it. Absent: there always is. */
  admitUpload?: (bytes: number) => Promise<void>;
  /** More names under which clients reach the Director. */
  names?: readonly string[];
  /** Fetches archives that manifests name by URL; it must refuse what strangers must not reach. Absent: nothing is fetched. */
  fetchArchive?: (url: string) => Promise<Readable>;
  /** By which hours are charged; absent: the real time. Certificates go by the real time, as TLS does. */
  clock?: () => Date;
  /** Milliseconds between looks at credits and agents. */
  interval?: number;
  cloud?: Cloud;
  log: ConpaasLog;
}

export interface Conpaas {
  /** e.g. `https://127.0.0.1:5555` */
  readonly directorUrl: string;
  /** Whether this host runs the Director of the installation. Another one that does is waited for, and `directorUrl` is private then. */
  leads(): boolean;
  /** PEM. */
  readonly caCertificate: string;
  /** Options for the adapter of this very ConPaaS, with the certificate of the gateway's own user. */
  readonly adapterOptions: AdapterOptions;
  readonly managerPort: number;
  readonly appPort: number;
  readonly offeredTypes: readonly ServiceType[];
  /** What this machine can run, and how to get the rest. */
  readonly runtimes: readonly RuntimeReport[];
  /** Looks at credits and agents now. */
  tick(): Promise<void>;
  /** Agents and applications go on. */
  close(): Promise<void>;
}

export interface AdapterOptions {
  director: string;
  /** Folder of the gateway's own user, as cpsclient has one; its files are renewed in time. */
  credentials: string;
  managerPort: number;
  appPort: number;
}

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;
/** The release whose clients are served. */
const API_VERSION = '1.5.1';
const DEFAULT_UPLOAD = 1024 ** 3;

/** Opens Director and managers; resolves when every manager that the store knows serves again. */
export async function openConpaas(options: ConpaasOptions): Promise<Conpaas> {
  const { store, log, clock = () => new Date() } = options;
  const folder = join(options.dataDir, 'conpaas');
  const incoming = join(folder, 'incoming');
  // What a Director that was killed was just receiving: nobody asks for it any more.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  const host = await hostId(folder);
  const leadership = createLeadership(store, host);
  await leadership.seek();
  const now = () => new Date();
  const authority = await openOwnAuthority(folder, now);
  const certification = createCertification(authority, store, now);
  await store.forgetExpired(now().toISOString());
  const { managerPort, appPort, databasePort } = await ports(options, log);
  const addresses = createAddressBook({
    range: options.addresses,
    managerPort,
    appPort,
    databasePort,
    installation: options.installation,
    ...(options.apps && { apps: options.apps }),
  });
  const runtimes = await detectRuntimes(process.env);
  const cloud =
    options.cloud ?? localCloud({ data: options.dataDir, log, ...(options.uids && { uids: options.uids }) });

  let directorUrl = '';
  const context: ManagerContext = {
    store,
    certification,
    cloud,
    addresses,
    host,
    folder: join(folder, 'services'),
    limits: options.limits ?? DEFAULT_ARCHIVE_LIMITS,
    largestUpload: options.largestUpload ?? DEFAULT_UPLOAD,
    admitUpload: options.admitUpload ?? (async () => undefined),
    directorUrl: () => directorUrl,
    clock,
    log,
  };
  const managers = createManagers(context);
  const own = await gatewayUser(options.users);
  const director: Director = {
    store,
    users: options.users,
    certification,
    managers,
    addresses,
    host,
    leads: () => leadership.leads,
    registration: options.registration,
    maxCredit: options.maxCredit,
    gatewayUid: own.uid,
    missing: (type) => missingOf(type, runtimes),
    runtimes,
    version: API_VERSION,
    log,
    packageFile: packer(folder),
    userData: await openUserData(join(folder, 'userdata')),
    incoming,
    url: () => directorUrl,
    ...(options.fetchArchive && { fetchArchive: options.fetchArchive }),
  };
  await director.userData.sweep(now());
  const names = [options.host, 'localhost', '127.0.0.1', hostname(), ...(options.names ?? [])];
  const issue = () => certification.forDirector([...new Set(names)]);
  let credential = await issue();
  const handler = createDirectorHandler(director, ENDPOINTS, incoming);
  const doors = await openDoors({
    leadership,
    at: { host: options.host, port: options.port },
    open: () =>
      createSecureServer({ credential, authority: authority.certificate, peers: certification.peers, handler }),
    log,
  });
  directorUrl = doors.url;
  await managers.openAll();
  const ticking = every(options.interval ?? 5 * SECOND, () => managers.tick(), log);
  const gatewayFolder = join(folder, 'gateway');
  const renew = async () => {
    await ownCredential(gatewayFolder, certification, own);
    if (endsSoon(credential)) {
      credential = await issue();
      doors.use(credential);
    }
    await managers.renew();
  };
  await renew();
  const renewing = every(DAY, renew, log);

  return {
    directorUrl,
    leads: () => leadership.leads,
    caCertificate: authority.certificate,
    adapterOptions: { director: directorUrl, credentials: gatewayFolder, managerPort, appPort },
    managerPort,
    appPort,
    offeredTypes: SERVICE_TYPES.filter((type) => director.missing(type) === undefined),
    runtimes,
    tick: () => managers.tick(),
    async close() {
      await ticking.stop();
      await renewing.stop();
      await doors.close();
      await managers.close();
      await leadership.giveUp();
    },
  };
}

async function ports(
  options: ConpaasOptions,
  log: ConpaasLog,
): Promise<{ managerPort: number; appPort: number; databasePort: number }> {
  const probe = options.addresses.replace(/\.\d+\/\d+$/, '.254').replace(/\/\d+$/, '');
  const managerPort = options.managerPort ?? ((await isFree(probe, 443)) ? 443 : 8443);
  const appPort = options.appPort ?? ((await isFree(probe, 80)) ? 80 : 8000);
  const databasePort = options.databasePort ?? ((await isFree(probe, 3306)) ? 3306 : 13_306);
  if (managerPort !== 443) {
    log.warn({ managerPort }, 'Old ConPaaS clients look for managers on port 443; ours listen on another one');
  }
  return { managerPort, appPort, databasePort };
}

/** Agents without an application need nothing of the machine. */
const NEEDS_NOTHING: readonly ServiceType[] = ['helloworld'];

/** A type is offered when there is a manager for it and one of its runtimes is here. */
function missingOf(type: ServiceType, runtimes: readonly RuntimeReport[]): string | undefined {
  if (!methodsOf(type)) return 'This version has no manager for it.';
  if (NEEDS_NOTHING.includes(type)) return;
  const able = runtimes.filter((runtime) => runtime.type === type);
  if (able.some(({ available }) => available)) return;
  return able.map(({ install }) => install ?? '').join(' ') || 'Its runtime is not there.';
}
