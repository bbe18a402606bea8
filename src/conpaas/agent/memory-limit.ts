import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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

/**
 * A cgroup below the agent's own, when that one is delegated to it. Undefined where there is none: machines may have version 2, or
 * version 1 with the memory controller there, and in most containers neither can be written. `limit` in MiB.
 */
export async function createMemoryGroup(name: string, limit: number): Promise<MemoryGroup | undefined> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const paths = own.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const first = paths.find((match) => match?.[1]?.split(',').includes('memory'))?.[2];
  if (first !== undefined) {
    return tryGroup(join('/sys/fs/cgroup/memory', first, name), async (folder) => {
      await writeFile(join(folder, 'memory.limit_in_bytes'), String(limit * MIB));
      // Without this the limit only moves pages to swap; absent where swap is not accounted.
      await writeFile(join(folder, 'memory.memsw.limit_in_bytes'), String(limit * MIB)).catch(() => {});
      return 'memory.oom_control';
    });
  }
  const second = paths.find((match) => match?.[1] === '')?.[2];
  if (second === undefined || !existsSync('/sys/fs/cgroup/cgroup.controllers')) return;
  return tryGroup(join('/sys/fs/cgroup', second, name), async (folder) => {
    await writeFile(join(folder, 'memory.max'), String(limit * MIB));
    await writeFile(join(folder, 'memory.swap.max'), '0').catch(() => {});
    return 'memory.events';
  });
}

async function tryGroup(folder: string, limit: (folder: string) => Promise<string>): Promise<MemoryGroup | undefined> {
  let counter: string;
  try {
    await mkdir(folder);
  } catch {
    return;
  }
  try {
    counter = join(folder, await limit(folder));
  } catch {
    await rmdir(folder).catch(() => {});
    return;
  }
  const processes = join(folder, 'cgroup.procs');
  return {
    join: (pid) => writeFile(processes, String(pid)),
    pids: async () => (await readFile(processes, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number),
    kills: async () => Number(/^oom_kill (\d+)/m.exec(await readFile(counter, 'utf8').catch(() => ''))?.[1] ?? 0),
    remove: () => rmdir(folder).catch(() => {}),
  };
}
