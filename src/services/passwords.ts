import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

const MOST_KNOWN = 10_000;
/** Hashes at a time: each takes 19 MiB and a thread of the pool that files and name look-ups need too. */
const AT_ONCE = 2;

export interface Passwords {
  /** For storing: argon2id with the library's parameters (OWASP's first choice), salted. */
  hash(password: string): Promise<string>;
  /** Whether this pair of name and password was right before and the hash is still the same: nothing is computed. */
  isKnown(name: string, password: string, passwordHash: string): boolean;
  /** What stands for the pair in this process's memory: one way, and worthless elsewhere. */
  fingerprint(name: string, password: string): string;
  /** Computes; `passwordHash` undefined takes the same time and is never right. */
  check(name: string, password: string, passwordHash: string | undefined): Promise<boolean>;
}

/**
 * A known pair is remembered as an HMAC under a key of this process, together with the stored hash that it fitted. The caller reads the
 * stored hash each time, so a password that was changed anywhere, also by another gateway, is forgotten at once.
 */
export function createPasswords(): Passwords {
  const key = randomBytes(32);
  const known = new Map<string, string>();
  const nobody = hash(randomBytes(16));
  const inTurn = limited(AT_ONCE);
  const fingerprint = (name: string, password: string) =>
    createHmac('sha256', key).update(`${name}\0${password}`).digest('base64');

  return {
    hash: (password) => inTurn(() => hash(password)),
    fingerprint,
    isKnown: (name, password, passwordHash) => known.get(fingerprint(name, password)) === passwordHash,
    check: async (name, password, passwordHash) => {
      const right = await inTurn(async () => matches(passwordHash ?? (await nobody), password));
      if (!right || passwordHash === undefined) return false;
      const [oldest] = known.keys();
      if (known.size >= MOST_KNOWN && oldest !== undefined) known.delete(oldest);
      known.set(fingerprint(name, password), passwordHash);
      return true;
    },
  };
}

/** A stored hash that is malformed fits no password. */
async function matches(passwordHash: string, password: string): Promise<boolean> {
  try {
    return await verify(passwordHash, password);
  } catch {
    return false;
  }
}

/** Runs at most `most` works at a time, the others in the order of their arrival. */
function limited(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await work();
    } finally {
      const go = waiting.shift();
      if (go) go();
      else running -= 1;
    }
  };
}
