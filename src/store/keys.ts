import type { Transaction } from 'kysely';
import { Fault } from '../domain/errors.js';
import { present } from './columns.js';
import type { Run } from './run.js';
import type { Schema } from './schema.js';
import type { UserStore } from './store.js';

/** The part of the users' aggregate that keeps their API keys. */
export function apiKeys(run: Run): Pick<UserStore, 'addKey' | 'keys' | 'key' | 'deleteKey'> {
  return {
    addKey: ({ keyId, user, label, createdAt, sealed }) =>
      run.write(async (db) => {
        const owner = await db
          .selectFrom('users')
          .select('uid')
          .where('name', '=', user)
          .where('deletedAt', 'is', null)
          .modifyEnd(run.lock)
          .executeTakeFirst();
        if (!owner) throw new Fault('NotFound', `There is no user ${JSON.stringify(user)}.`);
        await db
          .insertInto('apiKeys')
          .values({ keyId, uid: owner.uid, label: label ?? null, createdAt, sealed })
          .execute();
      }),
    keys: (user) =>
      run.read(async (db) =>
        (
          await selectKeys(db)
            .where('users.name', '=', user)
            .orderBy('apiKeys.createdAt')
            .orderBy('apiKeys.keyId')
            .execute()
        ).map(present),
      ),
    key: (keyId) =>
      run.read(async (db) => {
        const row = await selectKeys(db).where('keyId', '=', keyId).executeTakeFirst();
        return row && present(row);
      }),
    deleteKey: (user, keyId) =>
      run.write(async (db) => {
        const { numDeletedRows } = await db
          .deleteFrom('apiKeys')
          .where('keyId', '=', keyId)
          .where('uid', 'in', (select) => select.selectFrom('users').select('uid').where('name', '=', user))
          .executeTakeFirst();
        return numDeletedRows === 1n;
      }),
  };
}

function selectKeys(db: Transaction<Schema>) {
  return db
    .selectFrom('apiKeys')
    .innerJoin('users', 'users.uid', 'apiKeys.uid')
    .select(['apiKeys.keyId', 'users.name as user', 'apiKeys.label', 'apiKeys.createdAt', 'apiKeys.sealed']);
}
