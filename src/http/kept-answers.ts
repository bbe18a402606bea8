import type { Principal } from '../domain/principal.js';
import type { Part, Revisions } from '../domain/revisions.js';

/** An answer of status 200 as bytes. */
export interface KeptAnswer {
  /** Names and values in turn; without those of one request. */
  headers: readonly string[];
  etag?: string;
  body: Buffer;
  /** What it shows of the store, and the moment before it was read. */
  parts: readonly Part[];
  since: number;
  /** For metrics and logs, as with an answer that is made. */
  about: { action?: string; route: string; user: string; path: string };
}

export interface KeptAnswers {
  /** The answer, when it still stands. */
  find(key: string): KeptAnswer | undefined;
  keep(key: string, answer: KeptAnswer): void;
  /** Bytes of the largest answer that is kept. */
  readonly largest: number;
}

/** What an entry costs beside its body, roughly: headers, key, and the objects around them. */
const OVERHEAD = 1500;
/** A longer key is a client's play; its answer is made each time. */
const LONGEST_KEY = 2000;

/** The answers that were asked for last, at most `bytes` of them. */
export function createKeptAnswers(revisions: Revisions, bytes: number): KeptAnswers {
  const kept = new Map<string, KeptAnswer>();
  let size = 0;
  const drop = (key: string, answer: KeptAnswer) => {
    kept.delete(key);
    size -= costOf(key, answer);
  };
  const largest = Math.floor(bytes / 4);
  return {
    largest,
    find(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      if (!revisions.unchanged(found.since, found.parts)) {
        drop(key, found);
        return undefined;
      }
      // The map's order is that of the last use.
      kept.delete(key);
      kept.set(key, found);
      return found;
    },
    keep(key, answer) {
      const before = kept.get(key);
      if (before) drop(key, before);
      if (key.length > LONGEST_KEY || answer.body.length > largest) return;
      kept.set(key, answer);
      size += costOf(key, answer);
      for (const [oldest, one] of kept) {
        if (size <= bytes) break;
        drop(oldest, one);
      }
    },
  };
}

function costOf(key: string, { body }: KeptAnswer): number {
  return body.length + 2 * key.length + OVERHEAD;
}

/** Everything on which an answer depends beside the store. No part can hold the character between them. */
export function keyOf(principal: Principal, origin: string, method: string, target: string, accept = ''): string {
  const { name, role, tenant } = principal;
  return `${name}\n${role}\n${tenant}\n${origin}\n${method} ${target}\n${accept}`;
}
