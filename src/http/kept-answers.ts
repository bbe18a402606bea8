import { isAscii } from 'node:buffer';
import type { Principal } from '../domain/principal.js';
import type { Part, Revisions } from '../domain/revisions.js';

/** An answer of status 200 as bytes. */
export interface KeptAnswer {
  /** Names and values in turn; without those of one request. */
  headers: readonly string[];
  etag?: string;
  body: Buffer;
  /** Short, and nothing but ASCII. */
  isText: boolean;
  /** What it shows of the store, and the moment before it was read. */
  parts: readonly Part[];
  since: number;
  /** For metrics and logs, as with an answer that is made. */
  about: { action?: string; route: string; user: string; path: string };
}

export interface KeptAnswers {
  /** The answer, when it still stands. */
  find(key: string): KeptAnswer | undefined;
  keep(key: string, answer: Omit<KeptAnswer, 'isText'>): void;
  /** Bytes of the largest answer that is kept. */
  readonly largest: number;
}

/** What an entry costs beside its body, roughly: headers, key, and the objects around them. */
const OVERHEAD = 1500;
/** Bytes of an answer that the system takes at once. */
const SHORT = 12 * 1024;
/** A longer key is a client's play; its answer is made each time. */
const LONGEST_KEY = 2000;

interface Entry {
  answer: KeptAnswer;
  /** Asked for since the last time that room was made. */
  wanted: boolean;
}

/** At most `bytes` of answers; the oldest that nobody asked for again go first. */
export function createKeptAnswers(revisions: Revisions, bytes: number): KeptAnswers {
  const kept = new Map<string, Entry>();
  let size = 0;
  const drop = (key: string, { answer }: Entry) => {
    kept.delete(key);
    size -= costOf(key, answer);
  };
  const makeRoom = () => {
    for (const [key, entry] of kept) {
      if (size <= bytes) return;
      if (!entry.wanted) drop(key, entry);
      else {
        entry.wanted = false;
        // To the end of the line, which this loop comes to once more.
        kept.delete(key);
        kept.set(key, entry);
      }
    }
  };
  const largest = Math.floor(bytes / 4);
  return {
    largest,
    find(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      const { since, parts } = found.answer;
      if (revisions.unchanged(since, parts)) {
        found.wanted = true;
        return found.answer;
      }
      drop(key, found);
      return undefined;
    },
    keep(key, answer) {
      const before = kept.get(key);
      if (before) drop(key, before);
      if (key.length > LONGEST_KEY || answer.body.length > largest) return;
      const isText = answer.body.length <= SHORT && isAscii(answer.body);
      kept.set(key, { answer: { ...answer, body: alone(answer.body), isText }, wanted: false });
      size += costOf(key, answer);
      makeRoom();
    },
  };
}

/** Node cuts small buffers out of one of 8 KiB, the whole of which a piece would keep. */
function alone(body: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(body.length);
  body.copy(copy);
  return copy;
}

/** The body as `ServerResponse.end` sends it soonest: a string leaves in one piece with the head of its answer, which costs a fifth less. */
export function sendable({ body, isText }: KeptAnswer): Buffer | string {
  return isText ? body.toString('latin1') : body;
}

function costOf(key: string, { body }: { body: Buffer }): number {
  return body.length + 2 * key.length + OVERHEAD;
}

/** Everything on which an answer depends beside the store. No part can hold the character between them. */
export function keyOf(principal: Principal, origin: string, method: string, target: string, accept = ''): string {
  const { name, role, tenant } = principal;
  return `${name}\n${role}\n${tenant}\n${origin}\n${method} ${target}\n${accept}`;
}
