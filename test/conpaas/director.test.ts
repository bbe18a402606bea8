import { createHash } from 'node:crypto';
import type { ConpaasClient, Row } from './conpaas-client.js';
import { unzip } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let anyone: ConpaasClient;
let ann: ConpaasClient;

beforeAll(async () => {
  rig = await openSystem();
  anyone = rig.stranger();
  ann = await rig.user('ann');
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const newcomer = (changes: Record<string, string> = {}) => ({
  username: 'u1',
  fname: 'F',
  lname: 'L',
  email: 'e@x.org',
  affiliation: 'A',
  password: 'secret',
  credit: '50',
  uuid: '<none>',
  ...changes,
});

describe('new_user', () => {
  test('answers with the user, the password as its MD5 and times as Python writes them', async () => {
    const made = (await anyone.json('new_user', { form: newcomer() })) as Record<string, unknown>;
    expect(Object.keys(made).sort()).toEqual(
      ['uid', 'username', 'fname', 'lname', 'email', 'affiliation', 'password', 'credit', 'created', 'uuid'].sort(),
    );
    expect(made).toMatchObject({
      username: 'u1',
      fname: 'F',
      lname: 'L',
      email: 'e@x.org',
      affiliation: 'A',
      password: createHash('md5').update('secret').digest('hex'),
      credit: 50,
      uuid: '',
    });
    expect(made['created']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
  });

  test.each([
    [{ username: '' }, 'username is a required field'],
    [{ email: '' }, 'email is a required field'],
    [{ password: '' }, 'password is a required field'],
    [{ username: 'u1', email: 'other@x.org' }, 'Username "u1" already taken'],
    [{ username: 'u2' }, 'E-mail "e@x.org" already registered'],
    [{ username: 'u3', email: '3@x.org', credit: 'x' }, 'Required credit "x" is not a valid integer.'],
    [{ username: 'u3', email: '3@x.org', credit: '-1' }, 'Required credit "-1" cannot be a negative integer.'],
    [{ username: 'u3', email: '3@x.org', credit: '51' }, 'Cannot allocate 51 credit for a new user (max credit 50).'],
  ])('refuses %j in the original words', async (changes, msg) => {
    expect(await anyone.json('new_user', { form: newcomer(changes) })).toEqual({ error: true, msg });
  });

  test.each(['CA', 'ca', 'cA', 'x'.repeat(65), 'with:colon'])('refuses the name %s', async (username) => {
    const answer = await anyone.json('new_user', { form: newcomer({ username, email: 'ca@x.org' }) });
    expect(answer).toMatchObject({ error: true });
  });

  test('needs neither names nor affiliation nor uuid', async () => {
    const form = { username: 'plain', email: 'plain@x.org', password: 'p', credit: '0' };
    expect(await anyone.json('new_user', { parts: form })).toMatchObject({ fname: '', uuid: '', credit: 0 });
  });

  test('of two that come at once with one name, one wins', async () => {
    const ask = (email: string) => anyone.json('new_user', { form: newcomer({ username: 'twice', email }) });
    const answers = (await Promise.all([ask('t1@x.org'), ask('t2@x.org')])) as { uid?: number; msg?: string }[];
    expect(answers.filter(({ uid }) => uid !== undefined)).toHaveLength(1);
    expect(answers.filter(({ msg }) => msg === 'Username "twice" already taken')).toHaveLength(1);
  });

  test('gives the user a first application', async () => {
    expect(await ann.json('listapp')).toEqual([{ aid: expect.any(Number), name: 'New Application' }]);
  });
});

describe('parameters', () => {
  const login = { username: 'ann', password: 'pw-ann' };

  test.each([
    ['urlencoded', { form: login }],
    ['multipart', { parts: login }],
    ['in the query', { query: login }],
    ['of an absolute request target', { form: login, absolute: true }],
  ])('are read when they come %s', async (_how, asked) => {
    expect(await anyone.json('login', asked)).toMatchObject({ username: 'ann' });
  });

  test('a file where none belongs is dropped', async () => {
    const parts = { ...login, photo: { name: 'x.png', bytes: Buffer.alloc(1000) } };
    expect(await anyone.json('login', { parts })).toMatchObject({ username: 'ann' });
  });

  test('a login with a wrong or missing password is false', async () => {
    expect(await anyone.json('login', { form: { ...login, password: 'wrong' } })).toBe(false);
    expect(await anyone.json('login', { form: { username: 'ann' } })).toBe(false);
    expect(await anyone.json('login', { form: { username: 'nobody', password: 'x' } })).toBe(false);
    expect(await anyone.json('getcerts', { form: { ...login, password: 'wrong' } })).toBe(false);
  });
});

describe('certificates', () => {
  test.each([
    ['POST', 'getcerts'],
    ['GET', 'getcerts'],
    ['POST', 'get_user_certs'],
  ])('%s /%s gives three stored files', async (method, path) => {
    const login = { username: 'ann', password: 'pw-ann' };
    const answer = await anyone.send(path, method === 'GET' ? { query: login } : { method, form: login });
    expect(answer.headers['content-type']).toBe('application/zip');
    expect(answer.headers['content-disposition']).toBe('attachment; filename=certs.zip');
    // Stored: nothing is compressed, so that the text can be read in the bytes.
    expect(answer.text).toContain('-----BEGIN CERTIFICATE-----');
    const files = await unzip(answer.body);
    expect(Object.keys(files).sort()).toEqual(['ca_cert.pem', 'cert.pem', 'key.pem']);
    expect(files['ca_cert.pem']).toBe(rig.conpaas.caCertificate);
  });
});

describe('HTTP', () => {
  test('every answer ends its connection', async () => {
    const answers = [await anyone.send('version'), await anyone.send('nowhere'), await ann.send('list')];
    for (const { headers } of answers) expect(headers.connection).toBe('close');
  });

  test('an unknown path or an id that is no integer is 404', async () => {
    for (const path of ['nowhere', 'list/x', 'stop/1x', 'rename/-1', 'delete/', 'start/']) {
      expect((await ann.send(path, { method: 'POST' })).status).toBe(404);
    }
  });

  test('a wrong method is 405 and names the right ones', async () => {
    const get = await ann.send('createapp');
    expect([get.status, get.headers.allow]).toEqual([405, 'POST']);
    expect((await anyone.send('available_services', { method: 'POST' })).status).toBe(405);
    expect((await anyone.send('login')).status).toBe(405);
  });

  test('tells version, clouds and services to anyone', async () => {
    expect((await anyone.send('version')).text).toBe('1.5.1');
    expect(JSON.parse((await anyone.send('available_clouds')).text)).toEqual(['default']);
    expect(JSON.parse((await anyone.send('available_services')).text)).toEqual(
      expect.arrayContaining(['nodejs', 'static']),
    );
  });

  test('what is broken inside tells no secret and no stack', async () => {
    const { status, text } = await anyone.send('login', {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'multipart/form-data' },
    });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ error: true });
    expect(text).not.toMatch(/at .*\.ts|node_modules/);
  });
});

describe('applications', () => {
  test('are created, listed, renamed and deleted', async () => {
    const made = (await ann.json('createapp', { form: { name: 'A2' } })) as { aid: number };
    expect(made).toEqual({ aid: expect.any(Number), name: 'A2' });
    expect(await ann.json('createapp', { form: { name: 'A2' } })).toEqual({
      error: true,
      msg: 'Application name "A2" already taken',
    });
    expect(await ann.json('createapp')).toBe(false);
    expect(await ann.json(`renameapp/${made.aid}`, { form: { name: 'A3' } })).toBe(true);
    expect(await ann.json(`renameapp/${made.aid}`, { form: { name: 'New Application' } })).toMatchObject({
      error: true,
    });
    expect(JSON.parse((await ann.send('listapp')).text)).toContainEqual({ aid: made.aid, name: 'A3' });
    expect(await ann.json(`delete/${made.aid}`)).toBe(true);
    expect(await ann.json(`delete/${made.aid}`)).toBe(false);
    const next = (await ann.json('createapp', { form: { name: 'A2' } })) as { aid: number };
    expect(next.aid).toBeGreaterThan(made.aid);
    await ann.json(`delete/${next.aid}`);
  });
});

describe('services', () => {
  test('have exactly the keys that clients print', async () => {
    const before = (await ann.json('user_credit', { method: 'GET' })) as number;
    const row = await ann.create('static');
    expect(row).toEqual({
      application_id: expect.any(Number),
      cloud: 'iaas',
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      manager: expect.stringMatching(/^127\.77\.\d+\.\d+$/),
      name: 'New static service',
      sid: expect.any(Number),
      state: 'INIT',
      subnet: null,
      type: 'static',
      user_id: expect.any(Number),
      vmid: expect.stringMatching(/^\d+$/),
    });
    expect(await ann.json('user_credit', { method: 'GET' })).toBe(before - 1);
    expect(await ann.json('list')).toEqual([row]);
    expect(JSON.parse((await ann.send(`list/${row.application_id}`)).text)).toEqual([row]);
    expect(await ann.json(`rename/${row.sid}`, { form: { name: 'Mine' } })).toBe(true);
    expect(await ann.json(`rename/${row.sid}`)).toBe(false);
    expect(await ann.json('list')).toMatchObject([{ name: 'Mine' }]);
    expect(await ann.json(`stop/${row.sid}`)).toBe(true);
    expect(await ann.json(`stop/${row.sid}`)).toBe(false);
    expect((await ann.create('static')).sid).toBeGreaterThan(row.sid);
  });

  test.each([
    ['start/wrong', {}, 'Unknown service type: wrong'],
    ['start/static', { appid: '999999' }, 'Application not found'],
    ['start/static', { appid: 'x' }, 'Application not found'],
    [
      'start/static/nocloud',
      {},
      'Error upon service creation: There is no cloud named nocloud. Please check your Director configuration.',
    ],
  ])('%s with %j is refused', async (path, form, msg) => {
    const before = await ann.json('list');
    expect(await ann.json(path, { form })).toEqual({ error: true, msg });
    expect(await ann.json('list')).toEqual(before);
  });

  test('without an application there is none to put it in', async () => {
    const eve = await rig.user('eve');
    const [first] = (await eve.json('listapp')) as { aid: number }[];
    await eve.json(`delete/${first?.aid}`);
    expect(await eve.json('start/static')).toEqual({ error: true, msg: 'No existing applications' });
  });

  test('without credit nothing is made', async () => {
    const poor = await rig.user('poor', 1);
    await poor.create('static');
    expect(await poor.json('start/static')).toEqual({
      error: true,
      msg: 'Error upon service creation: Could not add nodes. Not enough credits.',
    });
    expect(await poor.json('list')).toHaveLength(1);
    expect(await poor.json('user_credit', { method: 'GET' })).toBe(0);
  });

  test('go with their application', async () => {
    const { aid } = (await ann.json('createapp', { form: { name: 'full' } })) as { aid: number };
    const row = await ann.create('static', { appid: String(aid) });
    expect(await ann.json(`delete/${aid}`)).toBe(true);
    expect(((await ann.json('list')) as Row[]).map(({ sid }) => sid)).not.toContain(row.sid);
  });
});

test('a user sees its own configuration without a password', async () => {
  const shown = (await ann.json('user_config', { method: 'GET' })) as Record<string, unknown>;
  expect(shown).toMatchObject({ username: 'ann', email: 'ann@example.org' });
  expect(shown).not.toHaveProperty('password');
});

test('registration can be closed', async () => {
  const closed = await openSystem({ registration: 'closed' });
  try {
    expect(await closed.stranger().json('new_user', { form: newcomer() })).toMatchObject({ error: true });
  } finally {
    await closed.close();
  }
});
