import { code, type Listening, listen, plainHandlers } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ limits: { document: 1024 ** 2 } });
});
afterAll(() => service.close());

async function get(path: string, headers: Record<string, string> = {}) {
  const { status, text, headers: answered } = await service.request(path, { headers });
  return { status, code: code(text), text, headers: answered };
}
async function post(path: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const { status, text } = await service.request(path, { method: 'POST', headers, body });
  return { status, code: code(text), text };
}

describe('The common parameters', () => {
  test.each([
    ['the action of the row', '/app?Action=findApplications'],
    ['in any case', '/app?Action=FINDAPPLICATIONS'],
    ['with the version', '/app?Action=findApplications&Version=0.1'],
    ['with the format', '/app?Format=XML'],
    ['with a time', `/app?Timestamp=${Math.floor(Date.now() / 1000)}`],
    ['with everything else', '/app?AccessKeyId=ada&SignatureMethod=HmacSHA1'],
  ])('are taken: %s', async (_, path) => {
    expect((await get(path)).status).toBe(200);
  });

  test.each([
    ['another action', '/app?Action=createApplication', 'Invalid Action'],
    ['no action', '/app?Action=', 'Invalid Action'],
    ['another version', '/app?Version=2.0', 'InvalidValue'],
    ['another format', '/app?Format=yaml', 'InvalidValue'],
    ['a time that is none', '/app?Timestamp=yesterday', 'InvalidValue'],
    ['a time long ago', '/app?Timestamp=1', 'RequestExpired'],
    ['a parameter that nobody knows', '/app?colour=red', 'InvalidParameter'],
    ['a parameter of another row', '/app?lines=3', 'InvalidParameter'],
    ['a parameter in the wrong case', '/app?action=findApplications', 'InvalidParameter'],
    ['a parameter twice', '/app?name=a&name=b', 'InvalidParameter'],
    ['a member of Object', '/app?__proto__=1', 'InvalidParameter'],
    ['a number that is none', '/app?pageSize=many', 'InvalidValue'],
    ['a broken escape', '/app?name=%zz', 'InvalidValue'],
  ])('are refused: %s', async (_, path, expected) => {
    expect(await get(path)).toMatchObject({ status: 400, code: expected });
  });

  test('Action takes the names of the usage scenario on their rows', async () => {
    const start = '/app/21/version/1/instance/1/action/start';
    expect((await post(`${start}?Action=startApplication`, '')).status).toBe(200);
    expect((await post(`${start}?Action=stopApplication`, '')).code).toBe('Invalid Action');
    expect((await post('/app/21/action/deploy/env/1?Action=DeployApplication', '')).status).toBe(200);
  });

  test('are required where the configuration says so', async () => {
    const strict = await listen({ commonParameters: 'required' });
    const answer = async (path: string, method = 'GET') => {
      const { status, text } = await strict.request(path, { method });
      return [status, code(text)];
    };
    expect(await answer('/app')).toEqual([400, 'MissingParameter']);
    expect(await answer('/app?Action=findApplications')).toEqual([400, 'MissingParameter']);
    expect(await answer('/app?Version=0.1')).toEqual([400, 'MissingParameter']);
    expect(await answer('/app?Action=findApplications&Version=0.1')).toEqual([200, undefined]);
    expect(await answer('/app', 'HEAD')).toEqual([400, undefined]);
    await strict.close();
  });
});

describe('A durable action waits', () => {
  async function waited(prefer?: string) {
    const seen: number[] = [];
    const handlers = plainHandlers();
    const other = await listen({
      patience: 100,
      handlers: {
        ...handlers,
        startApplication: (call) => {
          seen.push(call.wait);
          return handlers.startApplication(call);
        },
      },
    });
    await other.request('/app/21/start', {
      method: 'POST',
      ...(prefer !== undefined && { headers: { Prefer: prefer } }),
    });
    await other.close();
    return seen[0];
  }

  test.each<[string | undefined, number]>([
    [undefined, 100],
    ['respond-async', 0],
    ['wait=30', 30],
    ['respond-async, wait=10', 10],
    ['WAIT="5"', 5],
    ['wait=1000', 100],
    ['handling=lenient', 100],
    ['wait=soon', 100],
  ])('with Prefer %j', async (prefer, seconds) => {
    expect(await waited(prefer)).toBe(seconds);
  });
});

test('Cache-Control: no-cache asks for a fresh look with GET, and means nothing with the POSTs of the client of 1.6', async () => {
  const seen: boolean[] = [];
  const handlers = plainHandlers();
  const other = await listen({
    handlers: {
      ...handlers,
      describeApplication: (call) => {
        seen.push(call.fresh);
        return handlers.describeApplication(call);
      },
      startApplication: (call) => {
        seen.push(call.fresh);
        return handlers.startApplication(call);
      },
    },
  });
  const headers = { 'Cache-Control': 'no-cache', Pragma: 'no-cache' };
  await other.request('/app/21', { headers });
  await other.request('/app/21');
  await other.request('/app/21/start', { method: 'POST', headers });
  expect(seen).toEqual([true, false, false]);
  await other.close();
});

test('Each request is told once, with what it was and what became of it', async () => {
  const other = await listen();
  await other.request('/app/21?Format=json');
  await other.request('/app/99');
  await other.request('/app', { user: '' });
  await other.request('/app/21', { method: 'PATCH' });
  expect(other.events).toEqual([
    expect.objectContaining({
      action: 'describeApplication',
      route: '/app/{appId}',
      target: '/CF-api/rest/app/21',
      status: 200,
      user: 'ada',
    }),
    expect.objectContaining({ action: 'describeApplication', status: 404, user: 'ada' }),
    expect.not.objectContaining({ user: expect.anything() }),
    expect.not.objectContaining({ action: expect.anything() }),
  ]);
  expect(new Set(other.events.map((event) => event.requestId)).size).toBe(4);
  await other.close();
});

test('A listener that fails harms no request', async () => {
  const other = await listen({
    onRequest: () => {
      throw new Error('The audit is full');
    },
  });
  expect((await other.request('/app/21')).status).toBe(200);
  expect((await other.request('/app/21')).status).toBe(200);
  expect(other.logged).toContainEqual(
    expect.objectContaining({ err: expect.objectContaining({ message: 'The audit is full' }) }),
  );
  await other.close();
});
