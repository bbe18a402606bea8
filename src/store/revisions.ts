import type { Part, Revisions } from '../domain/revisions.js';

/** Parts of one number or name share this many counters: two that meet in one are only read again more often. */
const SLOTS = 4096;

export interface Ledger {
  touch(parts: readonly Part[]): void;
  /** Anything may have changed. */
  touchAll(): void;
  /** `isInformed`: whether changes of other processes would be known by now. */
  revisions(isInformed: () => boolean): Revisions;
}

/** When each part was changed last, by a clock that ticks with every change. */
export function createLedger(): Ledger {
  const lists = { applications: 0, environments: 0 };
  const applications = new Float64Array(SLOTS);
  const users = new Float64Array(SLOTS);
  let clock = 0;
  let everything = 0;

  const changedAt = (part: Part): number => {
    if (part === 'applications' || part === 'environments') return lists[part];
    const [counters, slot] = slotOf(part);
    return counters[slot] as number;
  };
  const slotOf = (part: Exclude<Part, keyof typeof lists>): [Float64Array, number] => {
    const id = part.slice(part.indexOf(':') + 1);
    return part.startsWith('user:') ? [users, hashed(id)] : [applications, Number(id) % SLOTS];
  };
  return {
    touch(parts) {
      clock += 1;
      for (const part of parts) {
        if (part === 'applications' || part === 'environments') lists[part] = clock;
        else {
          const [counters, slot] = slotOf(part);
          counters[slot] = clock;
        }
      }
    },
    touchAll() {
      clock += 1;
      everything = clock;
    },
    revisions: (isInformed) => ({
      now: () => (isInformed() ? clock : undefined),
      unchanged: (since, parts) =>
        isInformed() && everything <= since && parts.every((part) => changedAt(part) <= since),
    }),
  };
}

function hashed(name: string): number {
  let hash = 7;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) | 0;
  return (hash >>> 0) % SLOTS;
}
