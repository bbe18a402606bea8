import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { Fault } from '../domain/errors.js';

/** Failed attempts within `WINDOW` seconds. */
const MOST_FOR_NAME_AND_ADDRESS = 10;
const MOST_FOR_ADDRESS = 100;
const WINDOW = 15 * 60;

export interface Attempts {
  /**
   * Runs `check`, which tells whether the password was right. Each attempt counts before it is checked, so that a burst of parallel
   * guesses has no more of them than a slow series; a right one gives its count back. Throws Fault `TooManyRequests`.
   */
  attempt(name: string, address: string, check: () => Promise<boolean>): Promise<boolean>;
}

/** Limits guessing per name and address, and per address; a name as such is never locked, so nobody can lock its owner out. */
export function createAttempts(): Attempts {
  const pairs = new RateLimiterMemory({ points: MOST_FOR_NAME_AND_ADDRESS, duration: WINDOW });
  const addresses = new RateLimiterMemory({ points: MOST_FOR_ADDRESS, duration: WINDOW });
  return {
    attempt: async (name, address, check) => {
      const origin = networkOf(address);
      const pair = createHash('sha256').update(`${origin} ${name}`).digest('base64');
      await count(addresses, origin, FAILED);
      await count(pairs, pair, FAILED);
      const right = await check();
      if (right) {
        await pairs.delete(pair);
        await addresses.reward(origin);
      }
      return right;
    },
  };
}

const FAILED = 'Too many failed attempts to log in from this address';

/** New users from one address: as many as a class of students, not as many as a program could make. */
const MOST_REGISTRATIONS = 60;
const REGISTRATION_WINDOW = 3600;

/** Counts a wish to register before it is looked at, so that nobody can try many names either. Throws Fault `TooManyRequests`. */
export function createRegistrations(): (address: string) => Promise<void> {
  const addresses = new RateLimiterMemory({ points: MOST_REGISTRATIONS, duration: REGISTRATION_WINDOW });
  return (address) => count(addresses, networkOf(address), 'Too many registrations from this address');
}

async function count(limiter: RateLimiterMemory, key: string, complaint: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    // The limiter rejects with its result, which is no Error.
    const { msBeforeNext } = refusal as { msBeforeNext?: number };
    if (msBeforeNext === undefined) throw refusal;
    const retryAfter = Math.max(1, Math.ceil(msBeforeNext / 1000));
    const text = `${complaint}; try again in ${retryAfter} seconds.`;
    throw new Fault('TooManyRequests', text, { retryAfter });
  }
}

/** Whoever has one IPv6 address has its whole /64. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
