import type { Selectable, Transaction } from 'kysely';
import { Fault } from '../domain/errors.js';
import type { User } from '../domain/model.js';
import { present, timestamp } from './columns.js';
import { next } from './counters.js';
import { apiKeys } from './keys.js';
import { chunks } from './keyset.js';
import type { Run } from './run.js';
import type { Schema, UsersTable } from './schema.js';
import type { NewUser, UserStore } from './store.js';

type Row = Selectable<UsersTable>;

export function userStore(run: Run): UserStore {
  return {
    create: (user) => run.write((db) => create(db, user)),
    get: async (name) => (await run.read((db) => find(db, name)))?.user,
    credentials: (name) => run.read((db) => find(db, name)),
    byUid: (uid) => run.read((db) => first(db, (query) => query.where('uid', '=', uid))),
    byEmail: (email) => run.read((db) => first(db, (query) => query.where('emailKey', '=', folded(email)))),
    list: () =>
      chunks(
        ({ after = 0, limit }) =>
          run.read(async (db) =>
            (await living(db).where('uid', '>', after).orderBy('uid').limit(limit).execute()).map(toUser),
          ),
        (user) => user.uid,
      ),
    update: (name, changes) =>
      run.write(async (db) => {
        const { email } = changes;
        const values = { ...changes, ...(email !== undefined && { emailKey: email && folded(email) }) };
        if (Object.keys(values).length === 0) return;
        await db.updateTable('users').set(values).where('name', '=', name).where('deletedAt', 'is', null).execute();
      }),
    delete: (name) => run.write((db) => remove(db, name)),
    passwordHash: async (name) => (await run.read((db) => find(db, name)))?.passwordHash,
    setPasswordHash: (name, passwordHash) =>
      run.write(async (db) => {
        await db
          .updateTable('users')
          .set({ passwordHash })
          .where('name', '=', name)
          .where('deletedAt', 'is', null)
          .execute();
      }),
    lockAdmins: () =>
      run.write(async (db) => {
        const admins = await living(db).where('role', '=', 'admin').orderBy('uid').modifyEnd(run.lock).execute();
        return admins.map((admin) => admin.name);
      }),
    isTenant: (tenant) =>
      run.read(async (db) => {
        const member = await db.selectFrom('users').select('uid').where('tenant', '=', tenant).executeTakeFirst();
        return member !== undefined;
      }),
    takeCredit: (uid, amount) =>
      run.write(async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('users')
          .set((row) => ({ credit: row('credit', '-', amount) }))
          .where('uid', '=', uid)
          .where('credit', '>=', amount)
          .where('deletedAt', 'is', null)
          .executeTakeFirst();
        return numUpdatedRows === 1n;
      }),
    ...apiKeys(run),
  };
}

function living(db: Transaction<Schema>) {
  return db.selectFrom('users').selectAll().where('deletedAt', 'is', null);
}

async function find(db: Transaction<Schema>, name: string): Promise<{ user: User; passwordHash: string } | undefined> {
  const row = await living(db).where('name', '=', name).executeTakeFirst();
  return row && { user: toUser(row), passwordHash: row.passwordHash ?? '' };
}

async function first(
  db: Transaction<Schema>,
  narrowed: (query: ReturnType<typeof living>) => ReturnType<typeof living>,
): Promise<User | undefined> {
  const row = await narrowed(living(db)).orderBy('uid').limit(1).executeTakeFirst();
  return row && toUser(row);
}

/** One form for texts that differ in case or width only. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

async function create(db: Transaction<Schema>, user: NewUser): Promise<User> {
  const { passwordHash, ...plain } = user;
  const made: User = { ...plain, uid: await next(db, 'user'), createdAt: timestamp() };
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('users')
    .values({
      ...made,
      nameKey: folded(user.name),
      emailKey: user.email === undefined ? null : folded(user.email),
      passwordHash,
    })
    .onConflict((conflict) => conflict.column('nameKey').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 1n) return made;
  throw new Fault('Conflict', `The user name ${JSON.stringify(user.name)} is taken, or was once; choose another.`);
}

/** The name and the tenant stay behind, so that nobody can take over what they stand for; everything personal goes. */
async function remove(db: Transaction<Schema>, name: string): Promise<void> {
  const row = await db
    .updateTable('users')
    .set({
      deletedAt: timestamp(),
      role: 'user',
      passwordHash: null,
      email: null,
      emailKey: null,
      firstName: null,
      lastName: null,
      affiliation: null,
      uuid: null,
      openid: null,
    })
    .where('name', '=', name)
    .where('deletedAt', 'is', null)
    .returning('uid')
    .executeTakeFirst();
  if (row) await db.deleteFrom('apiKeys').where('uid', '=', row.uid).execute();
}

function toUser(row: Row): User {
  const { nameKey: _, emailKey: __, passwordHash: ___, deletedAt: ____, ...user } = row;
  return present(user);
}
