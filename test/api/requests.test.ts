import { sendRaw } from '../support/raw-socket.js';
import { type Listening, listen, plainHandlers } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ limits: { document: 1024 ** 2 } });
});
afterAll(() => service.close());

const code = (text: string) => /code="([^"]+)"/.exec(text)?.[1];
const BASIC = `Authorization: Basic ${Buffer.from('ada:se:cr:et').toString('base64')}`;

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

describe('Accept', () => {
  test.each([
    undefined,
    '',
    '*/*',
    'application/xml',
    'text/xml',
    'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'text/html, image/gif, image/jpeg, */*; q=0.2',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'application/json;q=0.5, application/xml',
    'application/xml;q=nonsense',
  ])('%j gets XML', async (accept) => {
    const { status, headers } = await get('/app/21', accept === undefined ? {} : { Accept: accept });
    expect([status, headers['content-type']]).toEqual([200, 'application/xml']);
  });

  test.each([
    'application/json',
    'application/json, */*;q=0.1',
    'APPLICATION/JSON',
    'application/xml;q=0.1, application/json',
  ])('%j gets JSON', async (accept) => {
    const { status, headers, text } = await get('/app/21', { Accept: accept });
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(text)).toMatchObject({ appId: 21, uris: ['petclinic.example.org'] });
  });

  test('neither gets 406 before anything is done', async () => {
    const seen: string[] = [];
    const other = await listen({
      handlers: {
        ...plainHandlers(),
        deleteApplications: () => {
          seen.push('deleted');
          return { value: '' };
        },
      },
    });
    const { status, text } = await other.request('/app/delete', { method: 'DELETE', headers: { Accept: 'image/png' } });
    expect([status, code(text), seen]).toEqual([406, 'NotAcceptable', []]);
    await other.close();
  });

  test('does not matter to bytes, logs and descriptions', async () => {
    for (const path of [
      '/artefact/21/1/petclinic.war',
      '/app/21/version/1/instance/1/logs',
      '/application.wadl',
      '/openapi.json',
    ]) {
      expect((await get(path, { Accept: 'image/png' })).status).toBe(200);
    }
  });

  test('Format says more than Accept, for errors too', async () => {
    expect((await get('/app/21?Format=xml', { Accept: 'application/json' })).headers['content-type']).toBe(
      'application/xml',
    );
    const error = await get('/app/99?Format=json');
    expect(error.headers['content-type']).toBe('application/json');
    expect(JSON.parse(error.text)).toEqual({
      value: expect.any(String),
      code: 'NotFound',
      status: 404,
      requestId: error.headers['x-request-id'],
    });
    const refused = await service.request('/app', { user: '', headers: { Accept: 'application/json' } });
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'Unauthorized', status: 401 });
  });
});

describe('A body', () => {
  const manifest = '<paas_application_manifest><paas_application name="A"/></paas_application_manifest>';
  test.each([
    ['application/xml', manifest],
    ['application/xml; charset=utf-8', manifest],
    ['APPLICATION/XML;charset="UTF-8"', manifest],
    ['text/xml', manifest],
    ['application/vnd.coaps+xml', manifest],
    ['application/json', '{"paas_application":{"name":"A"}}'],
    ['application/json; charset=utf-8', '{"paas_application_manifest":{"paas_application":{"name":"A"}}}'],
  ])('of the type %s is read', async (type, body) => {
    const { status, text } = await post('/app', body, { 'Content-Type': type });
    expect([status, text]).toEqual([200, expect.stringContaining('appName="A"')]);
  });

  test('without a type is XML, or JSON when it looks so', async () => {
    for (const body of [manifest, '\n {"paas_application":{"name":"A"}}']) {
      const answer = await sendRaw(
        service.port,
        `POST /CF-api/rest/app HTTP/1.1\r\nHost: x\r\n${BASIC}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('appName="A"')]);
    }
  });

  test.each<[string, string, Record<string, string>, number, string]>([
    ['malformed XML', '<paas_application', {}, 400, 'InvalidValue'],
    ['a wrong root', '<html/>', {}, 400, 'InvalidValue'],
    ['nothing', '', {}, 400, 'MissingParameter'],
    ['a DOCTYPE', `<!DOCTYPE a>${manifest}`, {}, 400, 'InvalidValue'],
    [
      'an entity bomb',
      `<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "${'&a;'.repeat(99)}"><!ENTITY c "${'&b;'.repeat(99)}">]><a>&c;</a>`,
      {},
      400,
      'InvalidValue',
    ],
    ['20 MB', `<a>${'x'.repeat(20 * 1024 ** 2)}</a>`, {}, 413, 'PayloadTooLarge'],
    ['malformed JSON', '{"paas_application":', { 'Content-Type': 'application/json' }, 400, 'InvalidValue'],
    ['XML as JSON', manifest, { 'Content-Type': 'application/json' }, 400, 'InvalidValue'],
    ['a form', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'UnsupportedMediaType'],
    ['text', manifest, { 'Content-Type': 'text/plain' }, 415, 'UnsupportedMediaType'],
    ['compressed XML', manifest, { 'Content-Encoding': 'gzip' }, 415, 'UnsupportedMediaType'],
  ])('with %s is refused', async (_, body, headers, status, expected) => {
    const answer = await post('/app', body, { 'Content-Type': 'application/xml', ...headers });
    expect([answer.status, answer.code]).toEqual([status, expected]);
    expect(answer.text).not.toMatch(/\bat .*\.(ts|js)|node_modules/);
    expect(answer.text).not.toMatch(/(appId|envId)="/);
  });

  test('that is chunked and too large is refused before its end', async () => {
    const chunk = `${(65536).toString(16)}\r\n${'x'.repeat(65536)}\r\n`;
    const answer = await sendRaw(
      service.port,
      `POST /CF-api/rest/app HTTP/1.1\r\nHost: x\r\n${BASIC}\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`,
    );
    expect([answer.status, code(answer.text)]).toEqual([413, 'PayloadTooLarge']);
  });

  test('of a row that has none is not read, whatever it is', async () => {
    expect((await post('/app/21/start', '<broken', { 'Content-Type': 'application/xml' })).status).toBe(200);
    const answer = await service.request('/app/21', {
      headers: { 'Content-Type': 'application/xml', 'Content-Length': '4' },
      body: 'junk',
    });
    expect(answer.status).toBe(200);
  });
});

describe('The request line', () => {
  const raw = (line: string, host = `Host: 127.0.0.1:${service.port}`) =>
    sendRaw(service.port, `${line} HTTP/1.1\r\n${host}\r\n${BASIC}\r\n\r\n`);

  test('in the absolute form of a proxy is understood', async () => {
    const answer = await raw('GET http://paas.example.org/CF-api/rest/app/21');
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('appId="21"')]);
  });

  test.each(['/CF-api/rest/app/%zz', '/CF-api/rest/user/%E0%A4%A/key', '/CF-api/rest/app?name=%'])(
    'with a broken escape (%s) is 400 in XML',
    async (path) => {
      const answer = await raw(`GET ${path}`);
      expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/xml']);
      expect(answer.text).toContain('code="InvalidValue"');
    },
  );

  test.each(['/', '/nothing', '/CF-api', '/CF-apix/rest', '/rest2', '/CF-api/rest/', '/CF-api/restx/app'])(
    '%s is XML, never a page',
    async (path) => {
      const answer = await raw(`GET ${path}`);
      expect(answer.headers['content-type']).toBe('application/xml');
      expect(answer.status).toBe(path === '/CF-api/rest/' ? 200 : 404);
      expect(answer.headers['x-powered-by']).toBeUndefined();
    },
  );

  test('is the same under every base, and chooses the platform', async () => {
    for (const [base, platform] of [
      ['/CF-api/rest', ' platform="CF"'],
      ['/OS-api/rest', ' platform="OS"'],
      ['/rest', ''],
    ]) {
      const answer = await raw(`GET ${base}`);
      expect(answer.text).toContain(`<service name="COAPS" version="0.1.0" api="1.6"${platform}><platform>`);
      expect(answer.text).toContain(`href="http://127.0.0.1:${service.port}${base}/app"`);
    }
  });

  test('reaches the WADL beside each base (§6)', async () => {
    for (const path of ['/CF-api/application.wadl', '/CF-api/rest/application.wadl', '/OS-api/application.wadl']) {
      const answer = await raw(`GET ${path}`);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/vnd.sun.wadl+xml']);
      const base = path.replace(/(\/rest)?\/application.wadl/, '/rest/');
      expect(answer.text).toContain(`<resources base="http://127.0.0.1:${service.port}${base}">`);
    }
  });
});

describe('Every href', () => {
  const hrefs = async (host: string, at = service) => {
    const { text } = await sendRaw(
      at.port,
      `GET /CF-api/rest/app/21 HTTP/1.1\r\n${host}${BASIC}\r\nConnection: close\r\n\r\n`,
    );
    return [...new Set([...text.matchAll(/href="(.*?)\/CF-api/g)].map((found) => found[1]))];
  };

  test('is made of the Host of the request; without a port it gets the one of the socket', async () => {
    expect(await hrefs(`Host: 127.0.0.1\r\n`)).toEqual([`http://127.0.0.1:${service.port}`]);
    expect(await hrefs(`Host: paas.example.org:81\r\n`)).toEqual(['http://paas.example.org:81']);
    expect(await hrefs(`Host: [::1]\r\n`)).toEqual([`http://[::1]:${service.port}`]);
  });

  test.each(['"><script>', 'a b', 'evil.example/path', 'user@evil.example', 'a:99999999', ''])(
    'never holds a Host that is none: %j',
    async (host) => {
      expect(await hrefs(`Host: ${host}\r\n`)).toEqual([`http://127.0.0.1:${service.port}`]);
    },
  );

  test('is made of the public URL where one is configured', async () => {
    const behind = await listen({ publicUrl: 'https://paas.example.org/' });
    expect(await hrefs('Host: internal\r\n', behind)).toEqual(['https://paas.example.org']);
    await behind.close();
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
