import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createMemoryGroup, type MemoryGroup } from './memory-limit.js';
import type { Output } from './output.js';
import {
  allProcesses,
  familyBytes,
  killMarked,
  MARK_VARIABLE,
  markedProcesses,
  type Owner,
  type ProcessEntry,
  trySignal,
} from './processes.js';
import { atMost, until } from './wait.js';

export interface GroupStart {
  /** `command` is looked for in the PATH of `env`. */
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment; nothing of the agent's own is added but the mark. */
  env: Readonly<Record<string, string>>;
  owner: Owner | null;
  /** Unique: names the group among everything on the machine. */
  mark: string;
  /** MiB that all its processes may have together. */
  memory?: number;
  /** Where standard error goes; absent: into the output, so that lines keep their order. */
  errors?: Printed;
  /** Processes that the first one leaves behind when it ends go on until `stop`. */
  leavesOthers?: boolean;
}

/** Takes what a program prints. */
export type Printed = Pick<Output, 'write'>;

/** A program with everything that it started. */
export interface ProcessGroup {
  readonly pid: number;
  /** How the first process ended, e.g. `exit code 1`, `SIGKILL`, `its memory limit of 64 MiB`. The rest of the group is killed then, unless it may stay. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** What it printed until now, for a pattern that tells a failure. */
  watch(pattern: RegExp, seen: (line: string) => void): void;
  members(): Promise<ProcessEntry[]>;
  residentBytes(): Promise<number>;
  /** SIGTERM, and after the grace SIGKILL; resolves when no process is left. */
  stop(graceMs: number): Promise<void>;
}

const WATCH_MS = 1000;
/** How long what a dead program printed may still be on its way. */
const DRAIN_MS = 2000;
const LAST_WORDS_MS = 300;

/**
 * Waits at its standard input until the agent has put it into its cgroup, so that no child escapes; both outputs are one stream, so
 * that lines keep their order.
 */
const GATE = 'ulimit -c 0; read -r _ && exec "$@" </dev/null';
const ONE_STREAM = 'exec 2>&1; ';
/** A user of its own gets a bound on its processes, against fork bombs; shells name that limit -u or -p. */
const BOUNDED = 'ulimit -u 4096 2>/dev/null || ulimit -p 4096 2>/dev/null; ';
/** When the machine runs out of memory, applications go before the gateway. */
const OOM_SCORE = '500';

export async function startGroup(
  start: GroupStart,
  output: Printed,
  makeMemoryGroup: typeof createMemoryGroup = createMemoryGroup,
): Promise<ProcessGroup> {
  const limits = start.memory === undefined ? undefined : await makeMemoryGroup(`coaps-${start.mark}`, start.memory);
  const gate = (start.errors ? '' : ONE_STREAM) + (start.owner ? BOUNDED : '') + GATE;
  const child = spawn('/bin/sh', ['-c', gate, 'sh', start.command, ...start.args], {
    cwd: start.cwd,
    env: { ...start.env, [MARK_VARIABLE]: start.mark },
    ...(start.owner ?? {}),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const watchers: ((chunk: Buffer) => void)[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    output.write(chunk);
    for (const watcher of watchers) watcher(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => start.errors?.write(chunk));
  child.stdin.on('error', () => {
    // It died before it was let go; `ended` says how.
  });
  const drained = Promise.all([child.stdout, child.stderr].map(closed));
  const died = new Promise<string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(`it could not be started (${error.code})`));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const pid = child.pid ?? -1;
  if (pid > 0) {
    await limits?.join(pid).catch(() => {});
    await writeFile(`/proc/${pid}/oom_score_adj`, OOM_SCORE).catch(() => {});
  }
  child.stdin.end('go\n');

  let reason: string | undefined;
  let over = false;
  const members = () => groupMembers(pid, start, limits);
  const killAll = async () => {
    for (const { pid: member } of await members()) trySignal(member, 'SIGKILL');
    await killMarked(start.mark, start.owner);
    await until(async () => (await members()).length === 0, 5000);
  };
  const stopWatch = watchMemory(pid, limits ? undefined : start.memory, () => {
    reason = memoryReason(start.memory);
    void killAll();
  });
  /** Nothing of it remains. */
  const clear = async () => {
    await killAll();
    await atMost(drained, DRAIN_MS);
    child.stdout.destroy();
    child.stderr.destroy();
    await limits?.remove();
    over = true;
  };
  let graceOver: Promise<unknown> | undefined;
  const ended = died.then(async (how) => {
    stopWatch();
    const killedByLimit = ((await limits?.kills()) ?? 0) > 0;
    // A shell in front dies of SIGTERM at once; the program behind it has its grace.
    await graceOver;
    // What it leaves behind may hold its output open.
    if (start.leavesOthers) await atMost(drained, LAST_WORDS_MS);
    else await clear();
    return reason ?? (killedByLimit ? memoryReason(start.memory) : how);
  });

  return {
    pid,
    ended,
    hasEnded: () => over,
    watch: (pattern, seen) => watchers.push(lineWatcher(pattern, seen)),
    members,
    residentBytes: () => familyBytes(pid),
    stop: async (graceMs) => {
      if (over) return;
      const asked = await members();
      graceOver ??= until(async () => (await members()).length === 0, graceMs, 100);
      for (const { pid: member } of asked) trySignal(member, 'SIGTERM');
      await graceOver;
      await killAll();
      await ended;
      if (!over) await clear();
    },
  };
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once('close', resolve));
}

function memoryReason(limit: number | undefined): string {
  return `its memory limit of ${limit} MiB`;
}

/** The Unix process group, what carries the mark, and what is in the cgroup: a child may leave one of them, hardly all. */
async function groupMembers(leader: number, start: GroupStart, limits?: MemoryGroup): Promise<ProcessEntry[]> {
  const own = new Set([...(await markedProcesses(start.mark, start.owner)), ...((await limits?.pids()) ?? [])]);
  return allProcesses().filter((entry) => entry.group === leader || entry.session === leader || own.has(entry.pid));
}

/** Where the kernel does not limit. */
function watchMemory(leader: number, limit: number | undefined, exceeded: () => void): () => void {
  if (limit === undefined) return () => {};
  const timer = setInterval(async () => {
    if ((await familyBytes(leader)) > limit * 1024 * 1024) exceeded();
  }, WATCH_MS);
  return () => clearInterval(timer);
}

/** Lines longer than this are looked at in pieces. */
const LONGEST_LINE = 8192;

function lineWatcher(pattern: RegExp, seen: (line: string) => void): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) if (pattern.test(line)) seen(line);
  };
}
