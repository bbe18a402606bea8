import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, type Credential, createAuthority, openAuthority } from '../../src/conpaas/certificates.js';
import type { Subject } from '../../src/conpaas/subject.js';
import { type ConpaasClient, createConpaasClient, type Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let ann: ConpaasClient;
let bob: ConpaasClient;
let authority: Authority;
let service: Row;
let annUid: number;
let manager: ConpaasClient;
let agent: ConpaasClient;

beforeAll(async () => {
  rig = await openSystem();
  [ann, bob] = [await rig.user('ann'), await rig.user('bob')];
  authority = await openAuthority(await credentialIn(join(rig.data, 'conpaas'), 'ca_'), () => new Date());
  service = await ann.create('static');
  annUid = ((await ann.json('user_config', { method: 'GET' })) as { uid: number }).uid;
  manager = await asManager();
  agent = await as({ role: 'agent', serviceLocator: service.sid });
}, 60_000);
afterAll(() => rig?.close(), 60_000);

async function credentialIn(folder: string, prefix = ''): Promise<Credential> {
  const read = (name: string) => readFile(join(folder, `${prefix}${name}.pem`), 'utf8');
  return { certificate: await read('cert'), key: await read('key') };
}

/** A client with a certificate of the authority for any subject. */
async function as(subject: Partial<Subject>, signer = authority): Promise<ConpaasClient> {
  const { certificate, key } = await signer.issue({
    role: 'user',
    uid: annUid,
    serviceLocator: 0,
    commonName: 'somebody',
    ...subject,
  });
  return createConpaasClient({ ...ann.options, certificate, key });
}

async function asManager(): Promise<ConpaasClient> {
  const kept = await credentialIn(join(rig.data, 'conpaas', 'services', String(service.sid)));
  return createConpaasClient({ ...ann.options, ...kept });
}

const USER_PATHS = [
  'start/static',
  'stop/1',
  'rename/1',
  'list',
  'createapp',
  'renameapp/1',
  'delete/1',
  'listapp',
  'user_config',
  'user_credit',
  'service_status',
  'upload_manifest',
  'download_manifest/1',
];
const MANAGER_PATHS = ['callback/decrementUserCredit.php', 'callback/terminateService.php', 'ca/get_cert.php'];
const GETS = ['user_config', 'user_credit'];
const method = (path: string) => ({ method: GETS.includes(path) ? 'GET' : 'POST' });

describe('the Director', () => {
  test.each([...USER_PATHS, ...MANAGER_PATHS])('gives nobody without a certificate /%s', async (path) => {
    expect((await rig.stranger().send(path, method(path))).status).toBe(401);
  });

  test.each(USER_PATHS)('gives a manager or an agent no /%s', async (path) => {
    for (const client of [manager, agent]) expect((await client.send(path, method(path))).status).toBe(401);
  });

  test.each(MANAGER_PATHS)('gives a user or an agent no /%s', async (path) => {
    for (const client of [ann, agent]) expect((await client.send(path, { method: 'POST' })).status).toBe(401);
  });

  test('hangs up on a certificate of another authority before HTTP', async () => {
    const other = await openAuthority(await createAuthority(new Date()), () => new Date());
    for (const path of ['version', 'list']) await expect((await as({}, other)).send(path)).rejects.toThrow();
  });

  test('hangs up on an expired certificate', async () => {
    const twoYearsAgo = new Date(Date.now() - 2 * 365 * 24 * 3600 * 1000);
    const ca = await credentialIn(join(rig.data, 'conpaas'), 'ca_');
    const past = await as({}, await openAuthority(ca, () => twoYearsAgo));
    await expect(past.send('version')).rejects.toThrow();
  });

  test('hangs up on a revoked certificate, and takes a new one of the same user', async () => {
    const eve = await rig.user('eve');
    expect(await eve.json('listapp')).toHaveLength(1);
    const { uid } = (await eve.json('user_config', { method: 'GET' })) as { uid: number };
    await rig.store.conpaas.revoke({ uid }, new Date().toISOString());
    await expect(eve.send('listapp', { method: 'POST' })).rejects.toThrow();
    const again = await rig.stranger().withCertificates('eve', 'pw-eve');
    expect(await again.json('listapp')).toHaveLength(1);
  });

  test('answers false to a certificate of a user that is gone', async () => {
    expect(await (await as({ uid: 999_999 })).json('list')).toBe(false);
  });

  test('takes no leaf certificate for an authority', async () => {
    const { certificate, key } = await authority.issue({ role: 'user', uid: 1, serviceLocator: 0, commonName: 'leaf' });
    const forged = await as({}, await openAuthority({ certificate, key }, () => new Date()));
    await expect(forged.send('version')).rejects.toThrow();
  });

  test("does nothing with another user's ids", async () => {
    const [application] = (await ann.json('listapp')) as { aid: number }[];
    const aid = application?.aid ?? 0;
    const before = [await ann.json('list'), await ann.json('listapp')];
    expect(await bob.json(`stop/${service.sid}`)).toBe(false);
    expect(await bob.json(`rename/${service.sid}`, { form: { name: 'mine' } })).toBe(false);
    expect(await bob.json(`list/${aid}`)).toEqual([]);
    expect(await bob.json(`service_status/${aid}`)).toEqual([]);
    expect(await bob.json(`renameapp/${aid}`, { form: { name: 'mine' } })).toBe(false);
    expect(await bob.json(`delete/${aid}`)).toBe(false);
    expect(await bob.json(`download_manifest/${aid}`)).toBe(false);
    expect(await bob.json('start/static', { form: { appid: String(aid) } })).toEqual({
      error: true,
      msg: 'Application not found',
    });
    expect(await bob.json('list')).toEqual([]);
    expect([await ann.json('list'), await ann.json('listapp')]).toEqual(before);
  });
});

test('keys are readable by their owner alone', async () => {
  const folder = join(rig.data, 'conpaas');
  const keys = ['ca_key.pem', 'gateway/key.pem', `services/${service.sid}/key.pem`];
  for (const key of keys) expect((await stat(join(folder, key))).mode & 0o777).toBe(0o600);
});

test('changing the password ends the certificates that were given out for the old one', async () => {
  const mallory = await rig.user('mallory');
  await rig.changePassword('mallory', 'new');
  await expect(mallory.send('list')).rejects.toThrow();
  expect(await (await rig.stranger().withCertificates('mallory', 'new')).json('list')).toEqual([]);
});
