import { randomBytes } from 'node:crypto';
import { Fault, isFault } from '../domain/errors.js';
import type { User } from '../domain/model.js';
import type { UserDescriptor } from '../domain/views.js';
import type { Store, StoreSession, UserChanges } from '../store/store.js';
import type { Passwords } from './passwords.js';
import * as rules from './user-rules.js';

/** What a user may be made of: the descriptor, and what only ConPaaS knows. */
export type NewUserDescriptor = UserDescriptor & { uuid?: string; openid?: string; credit?: number };

export interface UserAdministration {
  /**
   * Without a tenant the user gets one of its own. Faults: `MissingParameter`, `InvalidValue`, `Conflict` (the name is taken, in any case).
   */
  create(descriptor: NewUserDescriptor): Promise<User>;
  /** Throws Fault `NotFound`. */
  describe(name: string): Promise<User>;
  /** What is absent stays; an empty text removes. Throws Fault `Conflict` for the last admin's role. */
  update(name: string, descriptor: UserDescriptor): Promise<User>;
  /** With all API keys and certificates. Throws Fault `Conflict` for the last admin. */
  remove(name: string): Promise<void>;
  setPassword(name: string, password: string): Promise<void>;
  /** When there is no admin, as at the first start, makes the user `admin`. Returns the password that it had to generate. */
  ensureAdmin(password?: string): Promise<string | undefined>;
}

export interface UserAdministrationParts {
  store: Pick<Store, 'users' | 'transaction'>;
  passwords: Passwords;
  /** ConPaaS credits of a user for whom none are named. */
  credit: number;
}

const ADMIN = 'admin';

export function createUserAdministration({ store, passwords, credit }: UserAdministrationParts): UserAdministration {
  const create = async (descriptor: NewUserDescriptor): Promise<User> => {
    const { tenant, ...user } = valid(descriptor);
    const passwordHash = await passwords.hash(rules.password(descriptor.password));
    return await store.transaction(async ({ users }) =>
      users.create({
        credit,
        ...user,
        tenant: tenant ?? (await ownTenant(users, user.name)),
        passwordHash,
      }),
    );
  };

  return {
    create,
    describe: async (name) => existing(await store.users.get(checked(name)), name),
    update: async (name, descriptor) => {
      const changes = changesOf(checked(name), descriptor);
      const { password } = descriptor;
      const passwordHash = password === undefined ? undefined : await passwords.hash(rules.password(password));
      return await store.transaction(async (session) => {
        existing(await session.users.get(name), name);
        if (changes.role === 'user') await keepLastAdmin(session, name);
        await session.users.update(name, changes);
        if (passwordHash !== undefined) await changePassword(session, name, passwordHash);
        return existing(await session.users.get(name), name);
      });
    },
    remove: (name) =>
      store.transaction(async (session) => {
        const { uid } = existing(await session.users.get(checked(name)), name);
        await keepLastAdmin(session, name);
        await session.users.delete(name);
        await session.conpaas.revoke({ uid }, new Date().toISOString());
      }),
    setPassword: async (name, password) => {
      const passwordHash = await passwords.hash(rules.password(password));
      await store.transaction((session) => changePassword(session, checked(name), passwordHash));
    },
    ensureAdmin: async (password) => {
      if ((await store.users.lockAdmins()).length > 0) return undefined;
      const generated = password === undefined ? randomBytes(15).toString('base64url') : undefined;
      try {
        await create({ name: ADMIN, password: password ?? generated ?? '', role: 'admin' });
        return generated;
      } catch (error) {
        // Another gateway that starts on the same database was first.
        if (isFault(error) && error.code === 'Conflict' && (await store.users.lockAdmins()).length > 0)
          return undefined;
        throw error;
      }
    },
  };
}

function valid(descriptor: NewUserDescriptor) {
  const { role = 'user', tenant, email, uuid, openid, credit } = descriptor;
  return {
    name: rules.userName(descriptor.name),
    role: rules.role(role),
    ...(tenant !== undefined && tenant !== '' && { tenant: rules.tenant(tenant) }),
    ...(email !== undefined && email !== '' && { email: rules.email(email) }),
    ...particulars({ ...descriptor, ...(uuid && { uuid }), ...(openid && { openid }) }),
    ...(credit !== undefined && { credit }),
  };
}

type Particular = 'firstName' | 'lastName' | 'affiliation' | 'uuid' | 'openid';

/** Those that are there and not empty. */
function particulars(given: { [K in Particular]?: string }): { [K in Particular]?: string } {
  const names: Particular[] = ['firstName', 'lastName', 'affiliation', 'uuid', 'openid'];
  return Object.fromEntries(
    names.flatMap((name) => (given[name] ? [[name, rules.particular(name, given[name])]] : [])),
  );
}

function changesOf(name: string, descriptor: UserDescriptor): UserChanges {
  if (descriptor.name !== undefined && descriptor.name !== name) {
    throw new Fault('InvalidParameter', 'A user keeps its name; make a new user instead.');
  }
  const { role, tenant, email } = descriptor;
  const texts = ['firstName', 'lastName', 'affiliation'] as const;
  return {
    ...(role !== undefined && { role: rules.role(role) }),
    ...(tenant !== undefined && { tenant: rules.tenant(tenant) }),
    ...(email !== undefined && { email: rules.email(email) || null }),
    ...Object.fromEntries(
      texts.flatMap((text) => {
        const value = descriptor[text];
        return value === undefined ? [] : [[text, rules.particular(text, value) || null]];
      }),
    ),
  };
}

/** Named like the user, unless users of today or earlier share a tenant of that name: it is theirs. */
async function ownTenant(users: StoreSession['users'], name: string): Promise<string> {
  return (await users.isTenant(name)) ? `${name}-${randomBytes(4).toString('hex')}` : name;
}

/** Certificates were given out for the old password. */
async function changePassword(session: StoreSession, name: string, passwordHash: string): Promise<void> {
  const { uid } = existing(await session.users.get(name), name);
  await session.users.setPasswordHash(name, passwordHash);
  await session.conpaas.revoke({ uid }, new Date().toISOString());
}

async function keepLastAdmin({ users }: StoreSession, name: string): Promise<void> {
  const admins = await users.lockAdmins();
  if (admins.includes(name) && admins.length === 1) {
    throw new Fault('Conflict', `${JSON.stringify(name)} is the last admin; make another one first.`);
  }
}

/** What cannot be a name is nobody's. */
function checked(name: string): string {
  if (!rules.isUserName(name)) existing(undefined, name);
  return name;
}

function existing(user: User | undefined, name: string): User {
  if (user) return user;
  throw new Fault('NotFound', `There is no user ${JSON.stringify(name)}.`);
}
