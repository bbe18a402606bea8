import type { Credential } from './certificates.js';
import { every } from './duties.js';
import { ELSEWHERE, LEASE, type Leadership } from './host.js';
import type { ConpaasLog } from './log.js';
import type { SecureServer } from './secure-server.js';

export interface DoorsOptions {
  leadership: Leadership;
  /** Where people find the Director. */
  at: { host: string; port: number };
  open(): SecureServer;
  log: ConpaasLog;
}

/** Where the Director listens: the address that people know while this host leads; before that, one for this host's own parts. */
export interface Doors {
  /** For this host's own parts; from the first start on also for people, when this host leads. */
  readonly url: string;
  use(credential: Credential): void;
  close(): Promise<void>;
}

/** Milliseconds between two tries to lead. */
const IMPATIENCE = 2_000;
const RENEWAL = (LEASE / 3) * 1000;

export async function openDoors({ leadership, at, open, log }: DoorsOptions): Promise<Doors> {
  const own = open();
  const port = leadership.leads ? await own.listen(at.host, at.port) : await own.listen('127.0.0.1', 0);
  let front = leadership.leads ? own : undefined;
  let soughtAt = Date.now();
  if (!leadership.leads) log.warn({}, ELSEWHERE);

  async function openFront(): Promise<void> {
    const opened = open();
    try {
      await opened.listen(at.host, at.port);
      front = opened;
    } catch (error) {
      await leadership.giveUp();
      throw error;
    }
  }

  async function seek(): Promise<void> {
    const before = leadership.leads;
    if (before && Date.now() - soughtAt < RENEWAL) return;
    soughtAt = Date.now();
    const leads = await leadership.seek();
    if (leads && !front) await openFront();
    if (leads && !before) log.info({}, 'This gateway host runs the ConPaaS of this installation now');
    if (before && !leads) log.warn({}, ELSEWHERE);
  }

  const seeking = every(IMPATIENCE, seek, log);
  return {
    url: `https://${front ? reachable(at.host) : '127.0.0.1'}:${port}`,
    use(credential) {
      own.use(credential);
      if (front !== own) front?.use(credential);
    },
    async close() {
      await seeking.stop();
      await own.close();
      await front?.close();
    },
  };
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
