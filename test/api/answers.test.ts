import { Fault } from '../../src/domain/errors.js';
import { type Listening, listen, plain, plainHandlers } from './service.js';
import { AT, task } from './values.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ publicUrl: 'http://h' });
});
afterAll(() => service.close());

const handlers = plainHandlers();

describe('What is created', () => {
  test('is told by 200 and Location', async () => {
    const body =
      '<a><paas_application name="A"/><paas_environment name="E"/><paas_version/><paas_version_instance name="I"/></a>';
    const created = async (path: string) => {
      const { status, headers } = await service.request(path, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/xml' },
      });
      return [status, headers.location];
    };
    expect(await created('/app')).toEqual([200, 'http://h/CF-api/rest/app/21']);
    expect(await created('/environment')).toEqual([200, 'http://h/CF-api/rest/environment/1']);
    expect(await created('/app/21/version')).toEqual([200, 'http://h/CF-api/rest/app/21/version/1']);
    expect(await created('/app/21/version/create')).toEqual([200, 'http://h/CF-api/rest/app/21/version/1']);
    expect(await created('/app/21/version/1/instance')).toEqual([
      200,
      'http://h/CF-api/rest/app/21/version/1/instance/1',
    ]);
    expect(await created('/app/21/start')).toEqual([200, undefined]);
    const user = await service.request('/user', {
      user: 'root:toor',
      method: 'POST',
      body: '<user name="é/x"/>',
      headers: { 'Content-Type': 'text/xml' },
    });
    expect(user.headers.location).toBe('http://h/CF-api/rest/user/%C3%A9%2Fx');
  });

  test('later is told by 202, the task and its Location', async () => {
    const answer = await service.request('/app/21/version/1/instance/1/action/start', {
      method: 'POST',
      headers: { Prefer: 'respond-async' },
    });
    expect([answer.status, answer.headers.location]).toEqual([202, 'http://h/CF-api/rest/task/7']);
    expect(answer.headers['content-type']).toBe('application/xml');
    expect(plain(answer.text)).toMatch(/^<task taskId="7"/);
  });

  test('as a key shows its secret once, and never in the list', async () => {
    const { text } = await service.request('/user/ada/key', { method: 'POST' });
    expect(text).toContain('secret="s"');
    const other = await listen({
      handlers: {
        ...handlers,
        findKeys: () => ({ items: [{ keyId: 'k', user: 'ada', createdAt: AT, secret: 'leak' }] }),
      },
    });
    expect((await other.request('/user/ada/key')).text).not.toContain('leak');
    await other.close();
  });
});

describe('A failure inside', () => {
  test('is a 500 that names only the request, and a line in the log', async () => {
    const other = await listen({
      handlers: {
        ...handlers,
        describeApplication: () => {
          throw new Error('password=hunter2 at /secret/path.ts:1');
        },
      },
    });
    const answer = await other.request('/app/21');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/hunter2|secret|\.ts/);
    expect(answer.text).toContain(`requestId="${answer.headers['x-request-id']}"`);
    expect(other.logged).toEqual([expect.objectContaining({ requestId: answer.headers['x-request-id'] })]);
    await other.close();
  });

  test('never holds the bare text of an id', async () => {
    const other = await listen({
      handlers: {
        ...handlers,
        describeApplication: () => {
          throw new Fault('Conflict', 'The platform says <x appId="1" envId="2">');
        },
      },
    });
    for (const headers of [{}, { Accept: 'application/json' }]) {
      const { text, status } = await other.request('/app/21', { headers });
      expect([status, text]).toEqual([409, expect.not.stringMatching(/(appId|envId)="/)]);
    }
    await other.close();
  });

  test('of a task stands in it', async () => {
    const failed = { ...task, state: 'FAILED' as const, error: { code: 'Conflict' as const, message: 'It is <busy>' } };
    const other = await listen({ handlers: { ...handlers, getTask: () => failed } });
    expect((await other.request('/task/7')).text).toContain('<error value="It is &lt;busy&gt;" code="Conflict"/>');
    await other.close();
  });
});
