import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './wait.js';

/** A group of processes whose memory the kernel limits together. */
export interface MemoryGroup {
  /** Puts a process into it; its later children follow. */
  join(pid: number): Promise<void>;
  pids(): Promise<number[]>;
  /** How often the kernel killed one of them for the limit. */
  kills(): Promise<number>;
  /** Once all processes are gone. */
  remove(): Promise<void>;
}

const MIB = 1024 * 1024;

interface Hierarchy {
  /** The agent's own cgroup. */
  folder: string;
  limit(group: string, bytes: number): Promise<void>;
  /** File that counts kills. */
  counter: string;
}

/**
 * A cgroup below the agent's own, when that one is delegated to it. Undefined where there is none: machines may have version 2, or
 * version 1 with the memory controller there, and in most containers neither can be written. `limit` in MiB.
 */
export async function createMemoryGroup(name: string, limit: number): Promise<MemoryGroup | undefined> {
  const hierarchy = await findHierarchy();
  return hierarchy && tryGroup(join(hierarchy.folder, name), hierarchy, limit * MIB);
}

/** Takes away what agents that were killed left of their groups. Their processes are gone. */
export async function removeMemoryGroups(prefix: string): Promise<void> {
  const { folder } = (await findHierarchy()) ?? {};
  if (folder === undefined) return;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (name.startsWith(prefix)) await removeGroup(join(folder, name));
}

async function findHierarchy(): Promise<Hierarchy | undefined> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const paths = own.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const first = paths.find((match) => match?.[1]?.split(',').includes('memory'))?.[2];
  if (first !== undefined) {
    return {
      folder: join('/sys/fs/cgroup/memory', first),
      counter: 'memory.oom_control',
      limit: async (group, bytes) => {
        await writeFile(join(group, 'memory.limit_in_bytes'), String(bytes));
        // Without this the limit only moves pages to swap; absent where swap is not accounted.
        await writeFile(join(group, 'memory.memsw.limit_in_bytes'), String(bytes)).catch(() => {});
      },
    };
  }
  const second = paths.find((match) => match?.[1] === '')?.[2];
  if (second === undefined || !existsSync('/sys/fs/cgroup/cgroup.controllers')) return;
  return {
    folder: join('/sys/fs/cgroup', second),
    counter: 'memory.events',
    limit: async (group, bytes) => {
      await writeFile(join(group, 'memory.max'), String(bytes));
      await writeFile(join(group, 'memory.swap.max'), '0').catch(() => {});
    },
  };
}

/** The kernel lets a group go a moment after its last process. */
async function removeGroup(folder: string): Promise<void> {
  const isRemoved = () =>
    rmdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'EBUSY',
    );
  await until(isRemoved, 2000, 20);
}

async function tryGroup(
  folder: string,
  { limit, counter }: Hierarchy,
  bytes: number,
): Promise<MemoryGroup | undefined> {
  try {
    await mkdir(folder);
  } catch {
    return;
  }
  try {
    await limit(folder, bytes);
  } catch {
    await removeGroup(folder);
    return;
  }
  const processes = join(folder, 'cgroup.procs');
  return {
    join: (pid) => writeFile(processes, String(pid)),
    pids: async () => (await readFile(processes, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number),
    kills: async () =>
      Number(/^oom_kill (\d+)/m.exec(await readFile(join(folder, counter), 'utf8').catch(() => ''))?.[1] ?? 0),
    remove: () => removeGroup(folder),
  };
}
