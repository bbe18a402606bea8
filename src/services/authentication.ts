import type { User } from '../domain/model.js';
import type { Authentication } from '../domain/ports.js';
import type { Principal } from '../domain/principal.js';
import type { Store } from '../store/store.js';
import type { ApiKeys } from './api-keys.js';
import type { Attempts } from './attempts.js';
import type { Passwords } from './passwords.js';
import { isUserName } from './user-rules.js';

export interface AuthenticationParts {
  store: Pick<Store, 'users'>;
  passwords: Passwords;
  attempts: Attempts;
  keys: Pick<ApiKeys, 'candidates'>;
  /**
   * Requests of unknown names act as the anonymous user: that name is unknown is then no secret, and such requests are neither slowed
   * down nor counted as guesses.
   */
  anonymous: boolean;
}

export function createAuthentication({
  store,
  passwords,
  attempts,
  keys,
  anonymous,
}: AuthenticationParts): Authentication {
  /** A client that opens many connections at its start sends one password many times at once: that is one attempt. */
  const running = new Map<string, Promise<boolean>>();
  const attempt = (name: string, password: string, hash: string | undefined, address: string) => {
    const id = `${passwords.fingerprint(name, password)} ${address} ${hash ?? ''}`;
    const present = running.get(id);
    if (present) return present;
    const check = attempts
      .attempt(name, address, () => passwords.check(name, password, hash))
      .finally(() => running.delete(id));
    running.set(id, check);
    return check;
  };

  return {
    byPassword: async (name, password, address) => {
      const found = isUserName(name) ? await store.users.credentials(name) : undefined;
      if (!found && anonymous) return 'unknown';
      if (found && passwords.isKnown(name, password, found.passwordHash)) return toPrincipal(found.user);
      const right = await attempt(name, password, found?.passwordHash, address);
      if (!found) return 'unknown';
      return right ? toPrincipal(found.user) : undefined;
    },
    bySignature: async (accessKeyId, verify) => {
      const candidates = await keys.candidates(accessKeyId);
      const fitting = candidates.find(({ secret }) => verify(secret));
      const name = fitting?.user ?? (isUserName(accessKeyId) ? accessKeyId : undefined);
      const user = name === undefined ? undefined : await store.users.get(name);
      if (fitting) return user && toPrincipal(user);
      return user || candidates.length > 0 ? undefined : 'unknown';
    },
    byName: async (name) => {
      const user = isUserName(name) ? await store.users.get(name) : undefined;
      return user && toPrincipal(user);
    },
  };
}

export function toPrincipal({ name, role, tenant }: User): Principal {
  return { name, role, tenant };
}
