import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  type Credential,
  createAuthority,
  createRequest,
  openAuthority,
} from '../../src/conpaas/certificates.js';
import type { Subject } from '../../src/conpaas/subject.js';
import { zip } from '../archives/pack.js';
import { type ConpaasClient, createConpaasClient, type Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let ann: ConpaasClient;
let bob: ConpaasClient;
let authority: Authority;
let service: Row;
let annUid: number;

beforeAll(async () => {
  rig = await openSystem();
  [ann, bob] = [await rig.user('ann'), await rig.user('bob')];
  authority = await openAuthority(await credentialIn(join(rig.data, 'conpaas'), 'ca_'), () => new Date());
  service = await ann.create('static');
  annUid = ((await ann.json('user_config', { method: 'GET' })) as { uid: number }).uid;
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

describe("a manager's rights", () => {
  const csr = async (subject: Partial<Subject>) => {
    const { request } = await createRequest({
      role: 'agent',
      uid: annUid,
      serviceLocator: service.sid,
      commonName: 'agent',
      ...subject,
    });
    return { csr: { name: 'csr.pem', bytes: Buffer.from(request) } };
  };

  test('it gets a certificate for an agent of its own', async () => {
    const answer = await (await asManager()).send('ca/get_cert.php', { method: 'POST', parts: await csr({}) });
    expect(answer.headers['content-type']).toMatch(/^text\/html/);
    expect(answer.text).toMatch(/^-----BEGIN CERTIFICATE-----/);
  });

  test.each([
    { role: 'user' as const },
    { role: 'manager' as const },
    { role: 'frontend' as const },
    { uid: 1 },
    { serviceLocator: 0 },
    { serviceLocator: 4711 },
    { commonName: 'CA' },
  ])('it gets none for %j', async (subject) => {
    const parts = await csr(subject);
    expect(await (await asManager()).json('ca/get_cert.php', { parts })).toMatchObject({ error: true });
  });

  test('it gets none for what is no request', async () => {
    const manager = await asManager();
    expect(await manager.json('ca/get_cert.php')).toMatchObject({ error: true });
    const parts = { csr: { name: 'csr.pem', bytes: Buffer.from('no request') } };
    expect(await manager.json('ca/get_cert.php', { parts })).toMatchObject({ error: true });
  });

  test('it takes credit of its own service only, and gives none', async () => {
    const manager = await asManager();
    const credit = () => ann.json('user_credit', { method: 'GET' });
    const before = await credit();
    const decrement = (form: Record<string, string>) => manager.json('callback/decrementUserCredit.php', { form });
    const sid = String(service.sid);
    expect(await decrement({ sid: '4711', decrement: '1' })).toBe(false);
    for (const amount of ['0', '-5', 'x', '1.5', '1000000']) {
      expect(await decrement({ sid, decrement: amount })).toEqual({ error: true });
    }
    expect(await credit()).toBe(before);
    expect(await decrement({ sid, decrement: '2', key: 'hour' })).toEqual({ error: false });
    expect(await decrement({ sid, decrement: '2', key: 'hour' })).toEqual({ error: false });
    expect(await credit()).toBe((before as number) - 2);
  });

  test('it ends with its service', async () => {
    const own = await ann.create('static');
    const kept = await credentialIn(join(rig.data, 'conpaas', 'services', String(own.sid)));
    const manager = createConpaasClient({ ...ann.options, ...kept });
    expect(await manager.json('callback/terminateService.php')).toEqual({ error: false });
    expect(await manager.json('callback/terminateService.php')).toBe(false);
    const stopped = await ann.create('static');
    const other = createConpaasClient({
      ...ann.options,
      ...(await credentialIn(join(rig.data, 'conpaas', 'services', String(stopped.sid)))),
    });
    expect(await ann.json(`stop/${stopped.sid}`)).toBe(true);
    await expect(other.json('callback/terminateService.php')).rejects.toThrow();
  });
});

describe('a manager', () => {
  test('serves its owner and nobody else', async () => {
    expect((await ann.manager(service.manager).get('get_service_info')).result).toMatchObject({ state: 'INIT' });
    const asked = { query: { method: 'get_service_info', id: '1' }, headers: { 'content-type': 'application/json' } };
    const others = [
      bob,
      rig.stranger(),
      await as({ role: 'agent', serviceLocator: 4711 }),
      await as({ role: 'manager' }),
    ];
    for (const other of others) expect((await other.manager(service.manager).send(asked)).status).toBe(401);
  });

  test('serves the Director and its own agents', async () => {
    for (const subject of [
      { role: 'frontend' as const, uid: 0 },
      { role: 'agent' as const, serviceLocator: service.sid },
    ]) {
      const client = await as(subject);
      expect((await client.manager(service.manager).get('get_service_info')).result).toMatchObject({ state: 'INIT' });
    }
  });

  test('hangs up on what the Director hangs up on', async () => {
    const other = await openAuthority(await createAuthority(new Date()), () => new Date());
    await expect((await as({}, other)).manager(service.manager).get('getLog')).rejects.toThrow();
  });

  test.each([
    ['../x', 'Absolute file names are not allowed in archive members'],
    ['a/../../x', 'Absolute file names are not allowed in archive members'],
    ['/etc/passwd', 'Absolute file names are not allowed in archive members'],
  ])('takes no archive with %s', async (name, text) => {
    const code = { name: 'x.zip', bytes: zip([{ name, content: 'x' }]) };
    const { error } = await ann.manager(service.manager).upload('upload_code_version', { code });
    expect(error).toBe(`Invalid arguments DETAIL:${text}`);
  });

  test.each([
    ['a link out of it', [{ name: 'x', mode: 0o120777, content: '/etc/passwd' }]],
    ['a bomb', [{ name: 'x', content: 'x', announced: 0xfffffffe }]],
  ])('takes no archive with %s', async (_, members) => {
    const code = { name: 'x.zip', bytes: zip(members) };
    const { error } = await ann.manager(service.manager).upload('upload_code_version', { code });
    expect(error).toMatch(/^Invalid arguments DETAIL:(Invalid archive format|Absolute file names are not allowed)/);
  });

  test('takes no file that is no archive, and keeps nothing of it', async () => {
    const manager = ann.manager(service.manager);
    const code = { name: 'x.zip', bytes: Buffer.from('hello') };
    const { error } = await manager.upload('upload_code_version', { code });
    expect(error).toBe('Invalid arguments DETAIL:Invalid archive format');
    const { result } = await manager.get('list_code_versions');
    expect((result as { codeVersions: unknown[] }).codeVersions).toHaveLength(1);
  });
});
