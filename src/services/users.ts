import { Fault } from '../domain/errors.js';
import type { ApiKey, User } from '../domain/model.js';
import type { Authentication } from '../domain/ports.js';
import type { Principal } from '../domain/principal.js';
import type { Listing } from '../domain/views.js';
import type { Store } from '../store/store.js';
import { createApiKeys } from './api-keys.js';
import { createAttempts } from './attempts.js';
import { createAuthentication } from './authentication.js';
import { createPasswords } from './passwords.js';
import { createUserAdministration, type UserAdministration } from './user-administration.js';

/** Who may act, and the administration of them. Actions for admins alone are guarded by the table of actions. */
export interface Users extends Authentication, Omit<UserAdministration, 'setPassword'> {
  list(): Listing<User>;
  /** One's own, or as admin anyone's; so are the keys. Throws Fault `AccessDenied`. */
  changePassword(principal: Principal, name: string, password: string): Promise<void>;
  createKey(principal: Principal, name: string, label?: string): Promise<ApiKey>;
  findKeys(principal: Principal, name: string): Promise<Listing<ApiKey>>;
  deleteKey(principal: Principal, name: string, keyId: string): Promise<void>;
}

export interface UsersOptions {
  store: Pick<Store, 'users' | 'transaction'>;
  /** 32 bytes, see `sealingKey` in sealing.ts. */
  secretKey: Buffer;
  log: { warn(fields: object, message: string): void };
  /** `auth.anonymous` is configured: see authentication.ts. */
  anonymous?: boolean;
  /** ConPaaS credits of a user for whom none are named; without it 50. */
  credit?: number;
}

export function createUsers({ store, secretKey, log, anonymous = false, credit = 50 }: UsersOptions): Users {
  const passwords = createPasswords();
  const keys = createApiKeys({ store, secretKey, log });
  const { setPassword, ...administration } = createUserAdministration({ store, passwords, credit });
  const authentication = createAuthentication({ store, passwords, attempts: createAttempts(), keys, anonymous });
  const known = async (principal: Principal, name: string) => {
    assertSelfOrAdmin(principal, name);
    return (await administration.describe(name)).name;
  };
  return {
    ...authentication,
    ...administration,
    list: () => ({ items: store.users.list() }),
    changePassword: async (principal, name, password) => setPassword(await known(principal, name), password),
    createKey: async (principal, name, label) => keys.create(await known(principal, name), label),
    findKeys: async (principal, name) => ({ items: await keys.list(await known(principal, name)) }),
    deleteKey: async (principal, name, keyId) => keys.revoke(await known(principal, name), keyId),
  };
}

/** Before anything is looked up: others must not learn which names exist. */
function assertSelfOrAdmin(principal: Principal, name: string): void {
  if (principal.role === 'admin' || principal.name === name) return;
  throw new Fault('AccessDenied', 'Only an admin may do this for another user.');
}
