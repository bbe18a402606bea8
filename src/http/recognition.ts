import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../domain/principal.js';
import type { Part, Revisions } from '../domain/revisions.js';
import { readCredentials } from './basic.js';

/** Milliseconds after which credentials are verified again, whatever the store says. */
const LIFE = 60_000;
const MOST = 10_000;

/** Callers by what they sent a moment ago, so that a password need not be verified with every request. */
export interface Recognition {
  find(req: IncomingMessage): Principal | undefined;
  /** `since`: a moment before the principal was looked up. */
  remember(req: IncomingMessage, principal: Principal, since: number): void;
}

interface Known {
  principal: Principal;
  parts: readonly Part[];
  since: number;
  until: number;
}

/**
 * An Authorization header is remembered as a digest under a key of this process: neither does a look-up's time tell how much of a
 * guess was right, nor is the password in memory. It stands as long as the user does not change: its password, role, tenant or keys.
 */
export function createRecognition(revisions: Revisions, anonymous: string | undefined): Recognition {
  const key = randomBytes(32).toString('base64');
  const known = new Map<string, Known>();
  const fingerprint = ({ headers }: IncomingMessage) => hash('sha256', key + (headers.authorization ?? ''), 'base64');
  return {
    find(req) {
      if (req.headers.authorization === undefined && anonymous === undefined) return undefined;
      const id = fingerprint(req);
      const found = known.get(id);
      if (!found) return undefined;
      if (performance.now() < found.until && revisions.unchanged(found.since, found.parts)) return found.principal;
      known.delete(id);
      return undefined;
    },
    remember(req, principal, since) {
      // Whoever acts as the anonymous user under a name of his own may become somebody when that name is created.
      const sent = readCredentials(req);
      if (sent === 'malformed' || (sent !== 'absent' && sent.name !== principal.name)) return;
      const [oldest] = known.keys();
      if (known.size >= MOST && oldest !== undefined) known.delete(oldest);
      known.set(fingerprint(req), {
        principal,
        parts: [`user:${principal.name}`],
        since,
        until: performance.now() + LIFE,
      });
    },
  };
}
