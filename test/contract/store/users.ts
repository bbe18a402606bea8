import type { Bench } from '../store.js';
import { all, user } from './rows.js';

export function userCases(bench: Bench): void {
  describe('users', () => {
    test('are created and read back alike, without their hash', async () => {
      const { users } = bench.store;
      const created = await users.create(
        user('alice', {
          role: 'admin',
          email: 'Alice@Example.org',
          firstName: 'A',
          lastName: 'L',
          affiliation: 'ACME',
          uuid: 'u-1',
          openid: 'o-1',
        }),
      );
      expect(created).toMatchObject({ uid: 1, name: 'alice', role: 'admin', credit: 10 });
      expect(JSON.stringify(created)).not.toContain('hash of');
      expect(await users.get('alice')).toEqual(created);
      expect(await users.byUid(1)).toEqual(created);
      expect(await users.byEmail('alice@example.ORG')).toEqual(created);
      expect(await users.credentials('alice')).toEqual({ user: created, passwordHash: 'hash of alice' });
      expect(await users.get('Alice')).toBeUndefined();
      expect(await users.byUid(2)).toBeUndefined();
      expect(await users.byEmail('')).toBeUndefined();
    });

    test.each(['Alice', 'ALICE', 'ａlice'])('%s is taken by alice', async (name) => {
      await bench.store.users.create(user('alice'));
      await expect(bench.store.users.create(user(name))).rejects.toMatchObject({ code: 'Conflict' });
    });

    test('of several with one name that come at once one is made', async () => {
      const other = await bench.open();
      const made = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? bench.store : other).users.create(user('bob'))),
      );
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await all(bench.store.users.list())).toHaveLength(1);
    });

    test('leave nothing personal, keep their name and number, when they are deleted', async () => {
      const { users } = bench.store;
      const { uid } = await users.create(user('bob', { role: 'admin', tenant: 'bobs', email: 'bob@example.org' }));
      await users.addKey({ keyId: 'AK1', user: 'bob', createdAt: 'now', sealed: 's' });
      await users.delete('bob');
      await users.delete('bob');
      expect(await users.get('bob')).toBeUndefined();
      expect(await users.byUid(uid)).toBeUndefined();
      expect(await users.byEmail('bob@example.org')).toBeUndefined();
      expect(await users.passwordHash('bob')).toBeUndefined();
      expect(await users.key('AK1')).toBeUndefined();
      expect(await all(users.list())).toEqual([]);
      expect(await users.lockAdmins()).toEqual([]);
      expect(await users.isTenant('bobs')).toBe(true);
      expect(await users.isTenant('bob')).toBe(false);
      await expect(users.create(user('Bob'))).rejects.toMatchObject({ code: 'Conflict' });
      expect((await users.create(user('carol'))).uid).toBeGreaterThan(uid);
    });

    test('take changes, and null removes', async () => {
      const { users } = bench.store;
      const before = await users.create(user('bob', { email: 'b@example.org', firstName: 'B' }));
      await users.update('bob', { role: 'admin', tenant: 'new', email: 'c@example.org', firstName: null });
      const { firstName: _, ...rest } = before;
      expect(await users.get('bob')).toEqual({ ...rest, role: 'admin', tenant: 'new', email: 'c@example.org' });
      expect(await users.byEmail('b@example.org')).toBeUndefined();
      await users.update('bob', { email: null });
      await users.update('bob', {});
      expect(await users.byEmail('c@example.org')).toBeUndefined();
      await users.setPasswordHash('bob', 'another');
      expect(await users.passwordHash('bob')).toBe('another');
    });

    test('pay with what they have, also when they pay twice at once', async () => {
      const { users } = bench.store;
      const other = await bench.open();
      const { uid } = await users.create(user('bob', { credit: 5 }));
      const paid = await Promise.all(
        Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? users : other.users).takeCredit(uid, 1)),
      );
      expect(paid.filter(Boolean)).toHaveLength(5);
      expect((await users.byUid(uid))?.credit).toBe(0);
      expect(await users.takeCredit(uid, 1)).toBe(false);
      expect(await users.takeCredit(99, 1)).toBe(false);
    });

    test('have keys of their own', async () => {
      const { users } = bench.store;
      await users.create(user('alice'));
      await users.create(user('bob'));
      const key = { keyId: 'AK1', user: 'alice', label: 'laptop', createdAt: '2026-01-01', sealed: 'sealed' };
      await users.addKey(key);
      await users.addKey({ keyId: 'AK2', user: 'alice', createdAt: '2026-01-02', sealed: 'sealed too' });
      expect(await users.key('AK1')).toEqual(key);
      expect((await users.keys('alice')).map(({ keyId }) => keyId)).toEqual(['AK1', 'AK2']);
      expect(await users.keys('bob')).toEqual([]);
      expect(await users.deleteKey('bob', 'AK1')).toBe(false);
      expect(await users.deleteKey('alice', 'AK1')).toBe(true);
      expect(await users.deleteKey('alice', 'AK1')).toBe(false);
      expect(await users.key('AK1')).toBeUndefined();
      await expect(users.addKey({ ...key, user: 'nobody' })).rejects.toMatchObject({ code: 'NotFound' });
    });

    test('the last of two admins who demote each other at once stays one', async () => {
      const other = await bench.open();
      await bench.store.users.create(user('a', { role: 'admin' }));
      await bench.store.users.create(user('b', { role: 'admin' }));
      const demote = (store: typeof other, name: string) =>
        store.transaction(async ({ users }) => {
          const admins = await users.lockAdmins();
          // Time enough for the other one to look, too.
          for (let look = 0; look < 10; look++) await users.get(name);
          if (admins.length > 1) await users.update(name, { role: 'user' });
        });
      await Promise.all([demote(bench.store, 'a'), demote(other, 'b')]);
      expect(await bench.store.users.lockAdmins()).toHaveLength(1);
    });
  });
}
