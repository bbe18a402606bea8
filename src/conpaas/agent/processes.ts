import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** Unix owner of processes and files. */
export interface Owner {
  uid: number;
  gid: number;
}

/** What makes a process the same one: a pid alone is given to strangers later. */
export interface ProcessIdentity {
  bootId: string;
  pid: number;
  /** Clock ticks from boot to its start: field 22 of /proc/PID/stat. */
  startTime: string;
}

export interface ProcessEntry {
  pid: number;
  parent: number;
  group: number;
  session: number;
  startTime: string;
}

export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const bootId = await readBootId();
  const entry = processEntry(pid);
  return entry && { bootId, pid, startTime: entry.startTime };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identityOf(identity.pid);
  return now !== undefined && now.bootId === identity.bootId && now.startTime === identity.startTime;
}

/** Signals the process only when it is still the same one. False: it is gone. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  return (await isAlive(identity)) && trySignal(identity.pid, signal);
}

export function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Undefined: there is none, or it is a zombie, which runs nothing any more. */
export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = readNow(`/proc/${pid}/stat`);
  // The name in parentheses may hold blanks and parentheses of its own.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return;
  const [parent, group, session] = fields.slice(1, 4).map(Number);
  return { pid, parent: parent ?? 0, group: group ?? 0, session: session ?? 0, startTime: fields[19] ?? '' };
}

/** Every process of the machine that can be seen. */
export function allProcesses(): ProcessEntry[] {
  return allPids()
    .map(processEntry)
    .filter((entry) => entry !== undefined);
}

/** What /proc says is made when it is read: a few microseconds a file, of which waiting for a thread would make a hundred. */
function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

const PAGE = 4096;

/** Resident bytes of a process and its descendants. What they share (libraries, forked pages) counts once. */
export async function familyBytes(leader: number): Promise<number> {
  const sizes = await Promise.all((await descendants(leader)).map(sizeOf));
  const shared = Math.max(0, ...sizes.map((size) => size.shared));
  return sizes.reduce((sum, { resident, shared: part }) => sum + Math.max(0, resident - part), shared);
}

async function sizeOf(pid: number): Promise<{ resident: number; shared: number }> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  const [, resident = 0, shared = 0] = text.split(' ').map(Number);
  return { resident: resident * PAGE, shared: shared * PAGE };
}

/** From parent to child: far cheaper than looking at every process of the machine. */
async function descendants(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const pids = children.join(' ').split(' ').filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(pids.map(descendants))).flat()];
}

/** The environment variable by which an agent's processes are found again, wherever they went. */
export const MARK_VARIABLE = 'COAPS_MARK';

/**
 * Pids of the processes that carry the mark (or a longer one that begins with it) in their environment. In a container root may not
 * read the environment of another user's processes; that user itself may.
 */
export async function markedProcesses(mark: string, owner?: Owner | null): Promise<number[]> {
  const needle = `${MARK_VARIABLE}=${mark}`;
  const hidden: number[] = [];
  const seen = allPids().filter((pid) => {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      return pid !== process.pid && variables.some((one) => one.startsWith(needle));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES' && owner && isOf(pid, owner)) hidden.push(pid);
      return false;
    }
  });
  return owner && hidden.length > 0 ? [...seen, ...(await markedAs(owner, needle, hidden))] : seen;
}

function isOf(pid: number, { uid }: Owner): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === uid;
}

/** Those of the given processes that carry it, as their owner sees them. */
function markedAs(owner: Owner, needle: string, pids: readonly number[]): Promise<number[]> {
  return new Promise((resolve) => {
    execFile(
      'grep',
      ['-s', '-l', '-F', '-e', needle, ...pids.map((pid) => `/proc/${pid}/environ`)],
      { ...owner, env: { PATH: '/usr/bin:/bin' }, cwd: '/' },
      (_error, output) => resolve([...output.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid))),
    );
  });
}

/** SIGTERM to what carries the mark, and after the grace SIGKILL. */
export async function endMarked(mark: string, owner: Owner | null, graceMs: number): Promise<void> {
  const end = Date.now() + graceMs;
  for (const pid of graceMs > 0 ? await markedProcesses(mark, owner) : []) trySignal(pid, 'SIGTERM');
  while (Date.now() < end && (await markedProcesses(mark, owner)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await killMarked(mark, owner);
}

/** Kills what carries the mark until nothing does: a process may fork between two looks. */
export async function killMarked(mark: string, owner?: Owner | null): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const pids = await markedProcesses(mark, owner);
    const alive = pids.map(processEntry).filter((entry) => entry !== undefined);
    if (alive.length === 0) return;
    for (const { pid } of alive) trySignal(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
