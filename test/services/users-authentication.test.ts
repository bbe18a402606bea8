import { randomBytes } from 'node:crypto';
import { createAttempts } from '../../src/services/attempts.js';
import { createAuthentication } from '../../src/services/authentication.js';
import { createPasswords, type Passwords } from '../../src/services/passwords.js';
import { createUsers, type Users, type UsersOptions } from '../../src/services/users.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

const HERE = '192.0.2.1';
const ELSEWHERE = '198.51.100.7';
const BOB = { name: 'bob', role: 'user', tenant: 'bob' };
const TOO_MANY = { code: 'TooManyRequests', status: 429 };

describe('logging in', () => {
  let opened: OpenedStore;
  let users: Users;
  const log = { warn: () => {} };
  const another = (options: Partial<UsersOptions> = {}) =>
    createUsers({ store: opened.store, secretKey: randomBytes(32), log, ...options });

  beforeEach(async () => {
    opened = await openTemporaryStore();
    users = another();
    await users.create({ name: 'bob', password: 'right' });
  });
  afterEach(() => opened.close());

  const guess = async (name: string, count: number, address = HERE, by = users) => {
    for (let index = 0; index < count; index++) await by.byPassword(name, `wrong ${index}`, address);
  };

  test('knows right, wrong and unknown', async () => {
    expect(await users.byPassword('bob', 'right', HERE)).toEqual(BOB);
    expect(await users.byPassword('bob', 'wrong', HERE)).toBeUndefined();
    expect(await users.byPassword('bob', '', HERE)).toBeUndefined();
    expect(await users.byPassword('Bob', 'right', HERE)).toBe('unknown');
    expect(await users.byPassword('nobody', 'right', HERE)).toBe('unknown');
    expect(await users.byName('bob')).toEqual(BOB);
    expect(await users.byName('nobody')).toBeUndefined();
  });

  test('stores argon2id, salted', async () => {
    await users.create({ name: 'eve', password: 'right' });
    const hashes = [await opened.store.users.passwordHash('bob'), await opened.store.users.passwordHash('eve')];
    for (const hash of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test('computes once what it knows, and again what is wrong', async () => {
    const passwords = createPasswords();
    let computed = 0;
    const counting: Passwords = {
      ...passwords,
      check: (...pair) => {
        computed += 1;
        return passwords.check(...pair);
      },
    };
    const keys = { candidates: async () => [] };
    const parts = { store: opened.store, passwords: counting, attempts: createAttempts(), keys, anonymous: false };
    const { byPassword } = createAuthentication(parts);
    for (let index = 0; index < 5; index++) expect(await byPassword('bob', 'right', HERE)).toEqual(BOB);
    expect(computed).toBe(1);
    for (let index = 0; index < 3; index++) await byPassword('bob', 'wrong', HERE);
    expect(computed).toBe(4);
  });

  test.each([
    ['a new password', () => users.update('bob', { password: 'new' }), undefined],
    ['the end of the user', () => users.remove('bob'), 'unknown'],
  ])('forgets what it knew with %s, also when another gateway did it', async (_, change, afterwards) => {
    const elsewhere = another({ store: await opened.another() });
    for (const gateway of [users, elsewhere]) expect(await gateway.byPassword('bob', 'right', HERE)).toEqual(BOB);
    await change();
    for (const gateway of [users, elsewhere]) expect(await gateway.byPassword('bob', 'right', HERE)).toBe(afterwards);
  });

  test('sees a new role and tenant at once', async () => {
    await users.byPassword('bob', 'right', HERE);
    await users.update('bob', { role: 'admin', tenant: 'acme' });
    expect(await users.byPassword('bob', 'right', HERE)).toEqual({ name: 'bob', role: 'admin', tenant: 'acme' });
  });

  test('with a damaged hash in the store is wrong, not broken', async () => {
    await opened.store.users.setPasswordHash('bob', 'no hash');
    expect(await users.byPassword('bob', 'right', HERE)).toBeUndefined();
    await opened.store.users.setPasswordHash('bob', '');
    expect(await users.byPassword('bob', '', HERE)).toBeUndefined();
  });

  test('fails ten times from one address, then not at all, and the right user elsewhere is not locked out', async () => {
    await guess('bob', 10);
    await expect(users.byPassword('bob', 'wrong', HERE)).rejects.toMatchObject(TOO_MANY);
    const refused = users.byPassword('bob', 'right', HERE);
    await expect(refused).rejects.toMatchObject(TOO_MANY);
    await expect(refused).rejects.toHaveProperty('retryAfter', expect.any(Number));
    expect(await users.byPassword('bob', 'right', ELSEWHERE)).toEqual(BOB);
  });

  test('with the right password that is known goes on beside a guesser at the same address', async () => {
    await users.byPassword('bob', 'right', HERE);
    await guess('bob', 10);
    await expect(users.byPassword('bob', 'wrong', HERE)).rejects.toMatchObject(TOO_MANY);
    expect(await users.byPassword('bob', 'right', HERE)).toEqual(BOB);
  });

  test('right once forgets the failures before', async () => {
    await guess('bob', 9);
    await users.byPassword('bob', 'right', HERE);
    await guess('bob', 10);
    await expect(users.byPassword('bob', 'wrong', HERE)).rejects.toMatchObject(TOO_MANY);
  });

  test('an unknown name is limited like a known one', async () => {
    await guess('nobody', 10);
    await expect(users.byPassword('nobody', 'wrong', HERE)).rejects.toMatchObject(TOO_MANY);
  });

  test('an unknown name costs as much processor time as a wrong password', async () => {
    const cost = async (name: string) => {
      const started = process.cpuUsage();
      await guess(name, 10, `${name === 'bob' ? 1 : 2}.2.3.4`);
      return process.cpuUsage(started).user;
    };
    await cost('warm');
    const [known, unknown] = [await cost('bob'), await cost('nobody')];
    expect(unknown).toBeGreaterThan(known / 3);
  });

  test('one address may not try a hundred names, an IPv6 network counts as one', async () => {
    for (let index = 0; index < 100; index++) {
      await users.byPassword(`user ${index}`, 'guess', `2001:db8:0:7::${index.toString(16)}`);
    }
    await expect(users.byPassword('another', 'guess', '2001:db8:0:7:ffff::1')).rejects.toMatchObject(TOO_MANY);
    expect(await users.byPassword('another', 'guess', '2001:db8:0:8::1')).toBe('unknown');
    expect(await users.byPassword('another', 'guess', '::ffff:192.0.2.1')).toBe('unknown');
  });

  test('guesses in parallel are no more than guesses in a row', async () => {
    const guesses = Array.from({ length: 40 }, (_, index) => users.byPassword('bob', `wrong ${index}`, HERE));
    const results = await Promise.allSettled(guesses);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });

  test('forty connections that begin with the right password are all let in', async () => {
    const logins = await Promise.all(Array.from({ length: 40 }, () => users.byPassword('bob', 'right', HERE)));
    expect(logins).toEqual(Array.from({ length: 40 }, () => BOB));
  });

  test('where unknown names act as the anonymous user they are not limited, known ones are', async () => {
    const open = another({ anonymous: true });
    for (let index = 0; index < 200; index++) {
      expect(await open.byPassword('javauser', 'whatever', HERE)).toBe('unknown');
    }
    await guess('bob', 10, HERE, open);
    await expect(open.byPassword('bob', 'wrong', HERE)).rejects.toMatchObject(TOO_MANY);
  });
});
