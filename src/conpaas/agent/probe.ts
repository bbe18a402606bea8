import { get } from 'node:http';
import type { ProcessGroup } from './group.js';
import { accepts, allListeners, listenersOf } from './ports.js';
import type { Address } from './protocol.js';
import { pause } from './wait.js';

export type ProbeResult =
  | { outcome: 'answers'; address: Address }
  /** Somebody else listens on its port. */
  | { outcome: 'lost' }
  | { outcome: 'ended'; how: string }
  /** `elsewhere`: ports on which it listens instead. */
  | { outcome: 'silent'; elsewhere: number[] }
  | { outcome: 'aborted' };

export interface ProbeOptions {
  group: ProcessGroup;
  port: number;
  /** In the order to be tried. */
  hosts: readonly string[];
  /** Of its processes, when it is not the agent's own. */
  uid: number | undefined;
  limitMs: number;
  signal: AbortSignal;
}

const REQUEST_MS = 10_000;
const FIRST_STEP_MS = 50;
const LONGEST_STEP_MS = 500;

/** Waits until the group answers HTTP, whatever the status, at its own port; a stranger's answer there does not count. */
export async function probe({ group, port, hosts, uid, limitMs, signal }: ProbeOptions): Promise<ProbeResult> {
  const end = Date.now() + limitMs;
  let step = FIRST_STEP_MS;
  let listens = false;
  const listeners = async () => (await allListeners()).filter((one) => one.port === port);
  while (!signal.aborted) {
    // It went because the port was taken, or for a reason of its own.
    if (group.hasEnded()) {
      return (await listeners()).length > 0 ? { outcome: 'lost' } : { outcome: 'ended', how: await group.ended };
    }
    const isLate = Date.now() > end;
    // The kernel's tables take it milliseconds to write: they are read when there is something to be seen.
    if (isLate || listens || (await isReached(hosts, port))) {
      const found = await listeners();
      listens = found.length > 0;
      const own = await listenersOn(group, uid);
      // Whoever answers now is somebody else.
      if (group.hasEnded()) continue;
      if (found.some((one) => !own.has(one.inode))) return { outcome: 'lost' };
      for (const host of listens ? hosts : []) {
        if (await answers({ host, port }, Math.min(REQUEST_MS, Math.max(1000, end - Date.now())), signal)) {
          return { outcome: 'answers', address: { host, port } };
        }
      }
    }
    if (isLate) return { outcome: 'silent', elsewhere: await portsOf(group, port) };
    await Promise.race([pause(step, signal), group.ended]);
    step = Math.min(LONGEST_STEP_MS, step * 1.5);
  }
  return { outcome: 'aborted' };
}

async function isReached(hosts: readonly string[], port: number): Promise<boolean> {
  return (await Promise.all(hosts.map((host) => accepts({ host, port })))).some(Boolean);
}

async function listenersOn(group: ProcessGroup, uid: number | undefined): Promise<Set<string>> {
  const pids = (await group.members()).map(({ pid }) => pid);
  return new Set((await listenersOf(pids, uid)).map(({ inode }) => inode));
}

/** Only those that are surely its own: another application of the same user may listen too. */
async function portsOf(group: ProcessGroup, except: number): Promise<number[]> {
  const pids = (await group.members()).map(({ pid }) => pid);
  const ports = (await listenersOf(pids, undefined)).map(({ port }) => port);
  return [...new Set(ports)].filter((port) => port !== except);
}

function answers({ host, port }: Address, timeout: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/', agent: false, timeout, signal, headers: { Connection: 'close' } });
    request.on('response', (response) => {
      response.destroy();
      resolve(true);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
