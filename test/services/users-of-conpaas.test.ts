import { randomBytes } from 'node:crypto';
import type { ConpaasUsers } from '../../src/domain/conpaas.js';
import { conpaasUsers } from '../../src/services/conpaas-users.js';
import { createUsers, type Users } from '../../src/services/users.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

const NEW = {
  name: 'bob',
  password: 'p',
  email: 'Bob@example.org',
  firstName: '',
  uuid: 'u-1',
  credit: 7,
  tenant: 't',
};

describe('the users of ConPaaS', () => {
  let opened: OpenedStore;
  let coaps: Users;
  let users: ConpaasUsers;

  beforeEach(async () => {
    opened = await openTemporaryStore();
    coaps = createUsers({ store: opened.store, secretKey: randomBytes(32), log: { warn: () => {} } });
    users = conpaasUsers(coaps, opened.store);
  });
  afterEach(() => opened.close());

  test('are the same people with the same password', async () => {
    const bob = await users.create(NEW);
    expect(bob).toMatchObject({ uid: 1, role: 'user', credit: 7, uuid: 'u-1' });
    expect(bob).not.toHaveProperty('firstName');
    expect(await coaps.byPassword('bob', 'p', '192.0.2.1')).toEqual({ name: 'bob', role: 'user', tenant: 't' });
    await coaps.update('bob', { password: 'new' });
    expect(await users.byPassword('bob', 'p', '192.0.2.1')).toBeUndefined();
    expect(await users.byPassword('bob', 'new', '192.0.2.1')).toEqual(bob);
    expect(await users.byPassword('nobody', 'new', '192.0.2.1')).toBeUndefined();
    expect(await users.get('bob')).toEqual(bob);
    expect(await users.byUid(bob.uid)).toEqual(bob);
    expect(await users.byEmail('bob@EXAMPLE.org')).toEqual(bob);
  });

  test('cannot take a name in another case, nor call themselves CA', async () => {
    await users.create(NEW);
    await expect(users.create({ ...NEW, name: 'BOB' })).rejects.toMatchObject({ code: 'Conflict' });
    await expect(users.create({ ...NEW, name: 'ca' })).rejects.toMatchObject({ code: 'InvalidValue' });
  });
});
