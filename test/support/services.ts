import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MemoryPlatform } from '../../adapters/memory/client.js';
import { MemoryAdapter } from '../../adapters/memory/index.js';
import { DEFAULT_ARCHIVE_LIMITS } from '../../src/archives/index.js';
import type { Manifest } from '../../src/domain/manifest.js';
import type { Principal } from '../../src/domain/principal.js';
import type { Upload } from '../../src/domain/views.js';
import { type Artefacts, createArtefacts } from '../../src/services/artefacts.js';
import { createAudit } from '../../src/services/audit.js';
import type { Accepted, Requester } from '../../src/services/context.js';
import type { OperationsOptions } from '../../src/services/operations/operations.js';
import { createServices, type Services } from '../../src/services/services.js';
import { createUsers } from '../../src/services/users.js';
import { openArtefactFiles } from '../../src/store/artefact-files.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { makeZip } from '../contract/archive.js';

export const ADA: Principal = { name: 'ada', role: 'user', tenant: 'acme' };
export const BOB: Principal = { name: 'bob', role: 'user', tenant: 'bolt' };
export const ROOT: Principal = { name: 'root', role: 'admin', tenant: 'house' };
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export interface TestServices extends Services {
  store: Store;
  artefacts: Artefacts;
  /** Of `MEM`; there is also a platform `Other`. */
  platform: MemoryPlatform;
  adapter: MemoryAdapter;
  /** Messages of level warn and error. */
  logged: string[];
  close(): Promise<void>;
}

export interface TestServicesOptions {
  /** A directory that was used before, and stays. */
  folder?: string;
  /** Another database than SQLite in the folder. */
  url?: string;
  /** Of another gateway, which closes it. */
  platform?: MemoryPlatform;
  work?: Omit<OperationsOptions, 'store' | 'runners' | 'log'>;
  /** Seconds between two looks; without it nobody looks by itself. */
  interval?: number;
  dropFolder?: string;
  /** Nothing begins to work. */
  idle?: boolean;
}

const LIMITS = {
  size: 1_000_000,
  archive: DEFAULT_ARCHIVE_LIMITS,
  allowPrivate: true,
};

/** The services on a real store, real files and the memory adapter, without HTTP. */
export async function openTestServices(options: TestServicesOptions = {}): Promise<TestServices> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'services-')));
  const store = await openStore({ url: options.url ?? `sqlite:${join(folder, 'coaps.db')}` });
  const files = await openArtefactFiles(join(folder, 'artefacts'));
  const artefacts = createArtefacts({ files, store, limits: LIMITS, dropFolder: options.dropFolder });
  const platform = options.platform ?? new MemoryPlatform({ folder: join(folder, 'platform') });
  if (!options.platform) await platform.recover();
  const adapter = new MemoryAdapter(platform, store.installation);
  const other = new MemoryAdapter(new MemoryPlatform(), store.installation);
  const logged: string[] = [];
  const note = (_fields: object, message: string) => logged.push(message);
  const services = createServices({
    ...{ store, artefacts, adapterNames: new Map([['MEM', 'memory']]) },
    adapters: new Map(Object.entries({ MEM: adapter, Other: other })),
    users: createUsers({ store, secretKey: randomBytes(32), log: SILENT }),
    audit: createAudit({ store }),
    log: { ...SILENT, warn: note, error: note },
    work: { pollInterval: 50, retry: { repetitions: 2, delay: 5, longest: 50 }, ...options.work },
    watch: { interval: options.interval ?? 3600 },
  });
  if (!options.idle) services.operations.start();
  if (options.interval !== undefined) services.watcher.start();
  return {
    ...services,
    ...{ store, artefacts, platform, adapter, logged },
    async close() {
      await services.stop(0);
      await Promise.all([options.platform ? undefined : adapter.close(), other.close()]);
      await store.close();
      if (options.folder === undefined) await rm(folder, { recursive: true });
    },
  };
}

/** A request that waits; `wait: 0` does not. */
export function as(principal: Principal, changes: Partial<Requester> = {}): Requester {
  return { principal, wait: 30, requestId: 'test', signal: new AbortController().signal, ...changes };
}

export function isAccepted<T extends object>(answer: T | Accepted): answer is Accepted {
  return 'accepted' in answer;
}

/** The value of an answer that came in time. */
export function finished<T extends object>(answer: T | Accepted): T {
  if (isAccepted(answer)) throw new Error(`Still at work: task ${answer.accepted.taskId}`);
  return answer;
}

/** The task of an answer that came before the work was done. */
export function accepted<T extends object>(answer: T | Accepted): number {
  if (!isAccepted(answer)) throw new Error('It was done already');
  return answer.accepted.taskId;
}

export const NOTHING: Upload = { present: false, read: async () => ({}) };

/** An upload of these bytes, as multipart or as the whole body. */
export function uploadOf(services: TestServices, bytes: Buffer, name?: string, manifest?: Manifest): Upload {
  return {
    present: true,
    read: async () => ({
      artefact: await services.artefacts.receive(Readable.from([bytes]), name, new AbortController().signal),
      ...(manifest ? { manifest } : {}),
    }),
  };
}

/** A small directory of files as a zip archive, another one for each word. */
export function site(word: string): Promise<Buffer> {
  return makeZip({ 'index.html': `<h1>${word}</h1>` });
}

export function environmentManifest(changes: Partial<NonNullable<Manifest['environment']>> = {}): Manifest {
  return { environment: { name: 'JavaWebEnv', nodes: [], variables: {}, ...changes } };
}

export function applicationManifest(instances = ['Instance1'], location?: string): Manifest {
  const deployable = {
    name: 'site.zip',
    contentType: 'artifact' as const,
    ...(location === undefined ? {} : { location }),
  };
  const version = { name: 'version1.0', deployables: [deployable], instances: instances.map((name) => ({ name })) };
  return { application: { name: 'PetClinic', versions: [version] } };
}

/** Polls until the condition holds. */
export async function until(condition: () => Promise<boolean> | boolean, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('The condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
