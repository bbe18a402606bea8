import { createHash } from 'node:crypto';
import { type ConpaasClient, unzip } from './conpaas-client.js';
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

describe('an address that asks too often', () => {
  test('is told so after ten wrong passwords of a user, who may still log in with a certificate', async () => {
    const form = { username: 'ann', password: 'guessed' };
    const answers: unknown[] = [];
    for (let tries = 0; tries < 11; tries += 1) answers.push(await anyone.json('login', { form }));
    expect(answers[0]).toBe(false);
    expect(answers[10]).toEqual({ error: true, msg: expect.stringMatching(/^Too many failed attempts.*try again in/) });
    expect(await anyone.json('getcerts', { form })).toMatchObject({ error: true });
    expect(await ann.json('listapp')).toHaveLength(1);
  });

  test('registers no more than a class of students', async () => {
    const form = newcomer({ username: 'another', email: 'another@x.org', credit: 'none' });
    let answer: { msg?: string } = {};
    for (let tries = 0; tries < 61 && !answer.msg?.startsWith('Too many'); tries += 1) {
      answer = (await anyone.json('new_user', { form })) as { msg?: string };
    }
    expect(answer).toEqual({ error: true, msg: expect.stringMatching(/^Too many registrations from this address/) });
  });
});
