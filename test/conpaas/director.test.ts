import type { ConpaasClient, Row } from './conpaas-client.js';
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
