import type { ConpaasUsers } from '../domain/conpaas.js';
import type { Store } from '../store/store.js';
import { createRegistrations } from './attempts.js';
import type { Users } from './users.js';

/** The one table of users as the ConPaaS Director sees it. */
export function conpaasUsers(users: Pick<Users, 'create' | 'byPassword'>, store: Pick<Store, 'users'>): ConpaasUsers {
  const { get, byUid, byEmail } = store.users;
  return {
    admit: createRegistrations(),
    create: (user) => users.create(user),
    byPassword: async (name, password, address) => {
      const principal = await users.byPassword(name, password, address);
      return principal === undefined || principal === 'unknown' ? undefined : await get(principal.name);
    },
    get,
    byUid,
    byEmail,
  };
}
