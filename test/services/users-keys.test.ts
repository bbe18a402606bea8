import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Principal } from '../../src/domain/principal.js';
import { seal, sealingKey, unseal } from '../../src/services/sealing.js';
import { createUsers, type Users } from '../../src/services/users.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

const ALICE: Principal = { name: 'alice', role: 'user', tenant: 'alice' };

describe('API keys', () => {
  let opened: OpenedStore;
  let users: Users;
  const warnings: object[] = [];
  const log = { warn: (fields: object) => warnings.push(fields) };
  const secretKey = randomBytes(32);

  beforeEach(async () => {
    opened = await openTemporaryStore();
    users = createUsers({ store: opened.store, secretKey, log });
    await users.create({ name: 'alice', password: 'p' });
    await users.create({ name: 'bob', password: 'p' });
  });
  afterEach(() => opened.close());

  const signedWith = (secret: string | undefined) => {
    const sign = (key: string) => createHmac('sha256', key).update('GET\nhost\n/app').digest();
    return (candidate: string) => timingSafeEqual(sign(candidate), sign(secret ?? ''));
  };

  test('show their secret once; the store has it sealed', async () => {
    const key = await users.createKey(ALICE, 'alice', 'laptop');
    expect(key).toMatchObject({ user: 'alice', label: 'laptop' });
    expect(key.keyId).toMatch(/^AK[A-Z2-9]{18}$/);
    expect(key.secret).toMatch(/^[\w-]{43}$/);
    const { items } = await users.findKeys(ALICE, 'alice');
    const { secret: _, ...shown } = key;
    expect(items).toEqual([shown]);
    const database = ['coaps.db', 'coaps.db-wal'].map((name) => readFileSync(join(opened.folder, name)));
    for (const bytes of database) expect(bytes.includes(key.secret ?? '')).toBe(false);
    expect(database.some((bytes) => bytes.includes(key.keyId))).toBe(true);
  });

  test('verify a signature by their id and by the name of their user', async () => {
    const first = await users.createKey(ALICE, 'alice');
    const second = await users.createKey(ALICE, 'alice');
    for (const { keyId, secret } of [first, second]) {
      expect(await users.bySignature(keyId, signedWith(secret))).toEqual(ALICE);
      expect(await users.bySignature('alice', signedWith(secret))).toEqual(ALICE);
      expect(await users.bySignature('bob', signedWith(secret))).toBeUndefined();
    }
    expect(await users.bySignature(first.keyId, signedWith(second.secret))).toBeUndefined();
    expect(await users.bySignature('alice', signedWith('p'))).toBeUndefined();
  });

  test.each(['nobody', 'AKAAAAAAAAAAAAAAAAAA', '', 'a\0b', 'CA'])('%j is unknown', async (id) => {
    expect(await users.bySignature(id, () => true)).toBe('unknown');
  });

  test('that are revoked verify nothing, and neither do those of a deleted user', async () => {
    const key = await users.createKey(ALICE, 'alice');
    await expect(users.deleteKey({ ...ALICE, name: 'bob' }, 'bob', key.keyId)).rejects.toMatchObject({
      code: 'NotFound',
    });
    await users.deleteKey(ALICE, 'alice', key.keyId);
    expect(await users.bySignature(key.keyId, () => true)).toBe('unknown');
    expect(await users.bySignature('alice', () => true)).toBeUndefined();
    await expect(users.deleteKey(ALICE, 'alice', key.keyId)).rejects.toMatchObject({ code: 'NotFound' });
    const another = await users.createKey(ALICE, 'alice');
    await users.remove('alice');
    expect(await users.bySignature(another.keyId, () => true)).toBe('unknown');
  });

  test('sealed with another secretKey are useless, which is said without the secret', async () => {
    const key = await users.createKey(ALICE, 'alice');
    const other = createUsers({ store: opened.store, secretKey: randomBytes(32), log });
    warnings.length = 0;
    expect(await other.bySignature('alice', () => true)).toBeUndefined();
    expect(warnings).toEqual([{ keyId: key.keyId, user: 'alice' }]);
  });

  test('are at most a hundred for a user, with labels of one line', async () => {
    await expect(users.createKey(ALICE, 'alice', 'a\nb')).rejects.toMatchObject({ code: 'InvalidValue' });
    for (let index = 0; index < 100; index++) await users.createKey(ALICE, 'alice');
    await expect(users.createKey(ALICE, 'alice')).rejects.toMatchObject({ code: 'Conflict' });
  });
});

describe('a sealed secret', () => {
  const key = randomBytes(32);

  test('opens with its key and in its place only', () => {
    const sealed = seal(key, 'sécret', 'place');
    expect(unseal(key, sealed, 'place')).toBe('sécret');
    expect(seal(key, 'sécret', 'place')).not.toBe(sealed);
    expect(() => unseal(randomBytes(32), sealed, 'place')).toThrow();
    expect(() => unseal(key, sealed, 'another place')).toThrow();
  });

  test('does not open when a single bit of it differs, or a part is missing', () => {
    const [form, text = ''] = seal(key, 'secret', 'place').split('.');
    const bytes = Buffer.from(text, 'base64');
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => unseal(key, `${form}.${changed.toString('base64')}`, 'place')).toThrow();
    }
    for (const torn of ['', 'v1', 'v1.', 'v2.AAAA', `${form}.${bytes.subarray(0, 20).toString('base64')}`]) {
      expect(() => unseal(key, torn, 'place')).toThrow();
    }
  });
});

describe('the sealing key', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coaps-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is made once in a file of its own, for its owner alone', () => {
    const file = join(folder, 'secret.key');
    const key = sealingKey(undefined, file);
    expect(key).toHaveLength(32);
    expect(sealingKey(undefined, file)).toEqual(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(sealingKey(undefined, join(folder, 'other.key'))).not.toEqual(key);
  });

  test('of the configuration is used as it is, or derived from any text', () => {
    const file = join(folder, 'secret.key');
    expect(sealingKey('00ff'.repeat(16), file)).toEqual(Buffer.from('00ff'.repeat(16), 'hex'));
    const derived = sealingKey('correct horse battery', file);
    expect(derived).toHaveLength(32);
    expect(sealingKey('correct horse battery', file)).toEqual(derived);
    expect(sealingKey('correct horse batterz', file)).not.toEqual(derived);
    expect(() => statSync(file)).toThrow();
  });

  test('in a damaged file stops the start instead of being replaced', () => {
    const file = join(folder, 'secret.key');
    writeFileSync(file, 'torn');
    expect(() => sealingKey(undefined, file)).toThrow(/holds no key.*backup/);
    expect(readFileSync(file, 'utf8')).toBe('torn');
  });
});
