import { constants } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Snapshot } from '../../store/portable/open.js';

/** Of the data directory: what a backup takes … */
export const TAKEN = ['secret.key', 'conpaas'];
/** … and what it leaves, because it is elsewhere in the backup, or means something on this machine alone. */
export const LEFT = [
  /^coaps\.db(-wal|-shm|-journal)?$/,
  /^artefacts$/,
  /^gateway\.(lock|pid|id)$/,
  /^(backup|replaced)-/,
  /^restore\.incomplete$/,
];
/** Below `conpaas`: what runs on this machine and what is still arriving, and the logs. */
const PASSING = /^conpaas\/(agents|apps|incoming)$|^conpaas\/services\/\d+\/uploads$|\.log$|\.(part|new)(-\w+)?$/;

const HOLD = 'backup-';
const DAY = 24 * 3600 * 1000;

/** Files of the data directory as they were, held by links of their own: nobody can take them away while they are copied. */
export interface HeldFiles {
  /** Holds what has come since. */
  renew(): Promise<void>;
  has(path: string): boolean;
  /** Paths below the data directory, in order. */
  paths(): string[];
  fileOf(path: string): string;
  release(): Promise<void>;
}

export async function holdFiles(data: string): Promise<HeldFiles> {
  await removeLeftovers(data);
  const folder = await mkdtemp(join(data, HOLD));
  const held = new Set<string>();
  const hold = async (path: string): Promise<void> => {
    if (held.has(path)) return;
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    if (await linked(join(data, path), place)) held.add(path);
  };
  const renew = async () => {
    for (const name of TAKEN) for await (const path of filesBelow(data, name)) await hold(path);
  };
  const release = () => rm(folder, { recursive: true, force: true });
  try {
    await renew();
  } catch (error) {
    await release();
    throw error;
  }
  return {
    renew,
    release,
    has: (path) => held.has(path),
    paths: () => [...held].sort(),
    fileOf: (path) => join(folder, path),
  };
}

/** False: it is gone. A copy where the file system knows no links. */
async function linked(file: string, place: string): Promise<boolean> {
  try {
    await link(file, place).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw error;
      await copyFile(file, place, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function* filesBelow(data: string, path: string): AsyncGenerator<string> {
  if (PASSING.test(path)) return;
  const found = await stat(join(data, path)).catch(unlessMissing);
  if (found?.isFile()) yield path;
  if (!found?.isDirectory()) return;
  const entries = await readdir(join(data, path)).catch(unlessMissing);
  for (const name of (entries ?? []).sort()) yield* filesBelow(data, `${path}/${name}`);
}

/** Of a backup that was killed. */
async function removeLeftovers(data: string): Promise<void> {
  for (const name of await readdir(data)) {
    const folder = join(data, name);
    const found = name.startsWith(HOLD) ? await stat(folder).catch(unlessMissing) : undefined;
    if (found && Date.now() - found.mtimeMs > DAY) await rm(folder, { recursive: true, force: true });
  }
}

/** Code of this host's ConPaaS services that a snapshot speaks of and that is not held. */
export async function missingCode(data: string, snapshot: Snapshot, held: HeldFiles): Promise<string[]> {
  const host = (await readFile(join(data, 'conpaas', 'host-id'), 'utf8').catch(() => '')).trim();
  const services = await snapshot.values('conpaas_services', ['sid', 'host']);
  const ours = new Set(services.filter((service) => service[1] === host).map(([sid]) => sid));
  const versions = await snapshot.values('conpaas_code_versions', ['sid', 'code_version_id']);
  return versions
    .filter(([sid]) => ours.has(sid ?? null))
    .map(([sid, id]) => `conpaas/services/${sid}/code/${id}`)
    .filter((path) => !held.has(path));
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
