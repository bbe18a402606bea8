import { randomBytes } from 'node:crypto';
import type { Principal } from '../../src/domain/principal.js';
import { createUsers, type Users } from '../../src/services/users.js';
import { all } from '../contract/store/rows.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

const ADMIN: Principal = { name: 'admin', role: 'admin', tenant: 'admin' };
const log = { warn: () => {} };

describe('the administration of users', () => {
  let opened: OpenedStore;
  let users: Users;

  beforeEach(async () => {
    opened = await openTemporaryStore();
    users = createUsers({ store: opened.store, secretKey: randomBytes(32), log });
  });
  afterEach(() => opened.close());

  const login = (name: string, password: string) => users.byPassword(name, password, '192.0.2.1');

  describe('the first start', () => {
    test('makes an admin with a generated password, once', async () => {
      const password = await users.ensureAdmin();
      expect(password).toMatch(/^[\w-]{20}$/);
      expect(await login('admin', password ?? '')).toEqual(ADMIN);
      expect(await users.ensureAdmin()).toBeUndefined();
      expect(await users.ensureAdmin('another')).toBeUndefined();
      expect(await login('admin', 'another')).toBeUndefined();
    });

    test('takes the configured password', async () => {
      expect(await users.ensureAdmin('configured')).toBeUndefined();
      expect(await login('admin', 'configured')).toEqual(ADMIN);
    });

    test('of two gateways at once makes one admin, whose password one of them knows', async () => {
      const other = createUsers({ store: await opened.another(), secretKey: randomBytes(32), log });
      const generated = (await Promise.all([users.ensureAdmin(), other.ensureAdmin()])).filter(Boolean);
      expect(generated).toHaveLength(1);
      expect(await login('admin', generated[0] ?? '')).toEqual(ADMIN);
    });
  });

  test('a user is created with what is given and described without the password', async () => {
    const created = await users.create({
      name: 'alice',
      password: 'pässword: with colon',
      role: 'admin',
      tenant: 'acme',
      email: 'alice@example.org',
      firstName: 'Alice',
      lastName: '',
      affiliation: 'ACME',
    });
    expect(created).toEqual({
      uid: 1,
      name: 'alice',
      role: 'admin',
      tenant: 'acme',
      email: 'alice@example.org',
      firstName: 'Alice',
      affiliation: 'ACME',
      credit: 50,
      createdAt: created.createdAt,
    });
    expect(await users.describe('alice')).toEqual(created);
    expect(await all(asAsync(users.list().items))).toEqual([created]);
    expect(await login('alice', 'pässword: with colon')).toEqual({ name: 'alice', role: 'admin', tenant: 'acme' });
  });

  test.each([
    'CA',
    'ca',
    'Ca',
    'ＣＡ',
    '',
    'a:b',
    'a/b',
    '.',
    '..',
    ' a',
    'a ',
    'a\0b',
    'a\nb',
    'x'.repeat(65),
    '\ud800',
  ])('the name %j is refused', async (name) => {
    await expect(users.create({ name, password: 'p' })).rejects.toMatchObject({ code: 'InvalidValue' });
    await expect(users.describe(name)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await login(name, 'p')).toBe('unknown');
    expect(await users.byName(name)).toBeUndefined();
  });

  test.each(['x'.repeat(64), 'Ünï çødé 𝄞', 'a@b', 'CAB', '%2e', 'a\\b'])('the name %j is accepted', async (name) => {
    await users.create({ name, password: 'p' });
    expect(await login(name, 'p')).toMatchObject({ name });
  });

  test.each([
    ['MissingParameter', { password: 'p' }],
    ['MissingParameter', { name: 'bob' }],
    ['InvalidValue', { name: 'bob', password: '' }],
    ['InvalidValue', { name: 'bob', password: 'x'.repeat(1025) }],
    ['InvalidValue', { name: 'bob', password: 'p', role: 'root' }],
    ['InvalidValue', { name: 'bob', password: 'p', tenant: ' ' }],
    ['InvalidValue', { name: 'bob', password: 'p', tenant: 'a\nb' }],
    ['InvalidValue', { name: 'bob', password: 'p', email: 'nobody' }],
    ['InvalidValue', { name: 'bob', password: 'p', firstName: 'x'.repeat(256) }],
  ])('%s: %j', async (code, descriptor) => {
    await expect(users.create(descriptor)).rejects.toMatchObject({ code });
    expect(await opened.store.users.get('bob')).toBeUndefined();
  });

  test('a taken name is a Conflict, in any case', async () => {
    await users.create({ name: 'bob', password: 'p' });
    await expect(users.create({ name: 'BOB', password: 'p' })).rejects.toMatchObject({ code: 'Conflict' });
  });

  test('who names no tenant gets one of its own, never that of others', async () => {
    expect((await users.create({ name: 'alice', password: 'p' })).tenant).toBe('alice');
    await users.create({ name: 'bob', password: 'p', tenant: 'acme' });
    await users.remove('bob');
    const { tenant } = await users.create({ name: 'acme', password: 'p' });
    expect(tenant).toMatch(/^acme-[0-9a-f]{8}$/);
  });

  test('an update changes what is given; an empty text removes; the name stays', async () => {
    const { email: _, ...rest } = await users.create({ name: 'bob', password: 'old', email: 'b@example.org' });
    const changed = await users.update('bob', { name: 'bob', email: '', role: 'admin', tenant: 't', lastName: 'B' });
    expect(changed).toEqual({ ...rest, role: 'admin', tenant: 't', lastName: 'B' });
    await expect(users.update('bob', { name: 'rob' })).rejects.toMatchObject({ code: 'InvalidParameter' });
    await expect(users.update('nobody', { role: 'user' })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(users.update('bob', { role: 'king' })).rejects.toMatchObject({ code: 'InvalidValue' });
    await users.update('bob', { password: 'new' });
    expect(await login('bob', 'old')).toBeUndefined();
    expect(await login('bob', 'new')).toMatchObject({ tenant: 't' });
  });

  test('the last admin is neither deleted nor demoted', async () => {
    await users.ensureAdmin('p');
    await users.create({ name: 'second', password: 'p', role: 'admin' });
    await users.update('second', { role: 'user' });
    await expect(users.update('admin', { role: 'user' })).rejects.toMatchObject({ code: 'Conflict' });
    await expect(users.remove('admin')).rejects.toMatchObject({ code: 'Conflict' });
    expect((await users.describe('admin')).role).toBe('admin');
    await users.update('second', { role: 'admin' });
    await users.remove('admin');
    await expect(users.remove('second')).rejects.toMatchObject({ code: 'Conflict' });
    await expect(users.remove('nobody')).rejects.toMatchObject({ code: 'NotFound' });
  });

  test('passwords and keys are for oneself and for admins; strangers learn nothing', async () => {
    const alice = { name: 'alice', role: 'user', tenant: 'alice' } as const;
    await users.create({ name: 'alice', password: 'old' });
    await users.create({ name: 'bob', password: 'old' });
    const denied = { code: 'AccessDenied' };
    for (const name of ['bob', 'nobody']) {
      await expect(users.changePassword(alice, name, 'new')).rejects.toMatchObject(denied);
      await expect(users.createKey(alice, name)).rejects.toMatchObject(denied);
      await expect(users.findKeys(alice, name)).rejects.toMatchObject(denied);
      await expect(users.deleteKey(alice, name, 'AK')).rejects.toMatchObject(denied);
    }
    await expect(users.changePassword(ADMIN, 'nobody', 'new')).rejects.toMatchObject({ code: 'NotFound' });
    await expect(users.changePassword(alice, 'alice', '')).rejects.toMatchObject({ code: 'InvalidValue' });
    await users.changePassword(alice, 'alice', 'mine');
    await users.changePassword(ADMIN, 'bob', 'given');
    expect(await login('alice', 'mine')).toMatchObject({ name: 'alice' });
    expect(await login('bob', 'given')).toMatchObject({ name: 'bob' });
  });

  test('a new password or the end of a user revokes the ConPaaS certificates', async () => {
    const { conpaas } = opened.store;
    const certificate = { role: 'user', sid: 0, expiresAt: '2099-01-01T00:00:00.000Z' } as const;
    const revoked = async (fingerprint: string) => (await conpaas.certificate(fingerprint))?.revokedAt !== null;
    for (const [name, end] of [
      ['changed', () => users.changePassword(ADMIN, 'changed', 'new')],
      ['updated', () => users.update('updated', { password: 'new' })],
      ['removed', () => users.remove('removed')],
    ] as const) {
      const { uid } = await users.create({ name, password: 'p' });
      await conpaas.addCertificate({ ...certificate, uid, fingerprint: name });
      expect(await revoked(name)).toBe(false);
      await end();
      expect(await revoked(name)).toBe(true);
    }
  });
});

async function* asAsync<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
