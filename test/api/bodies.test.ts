import { sendRaw } from '../support/raw-socket.js';
import { BASIC, code, type Listening, listen, plainHandlers } from './service.js';

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
