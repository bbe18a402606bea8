import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { makeZip } from '../contract/archive.js';
import { eventually } from '../support/conditions.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';
import { rawRequest } from '../support/raw-request.js';

/** What one client, or all together, may take of a gateway, and what whoever wants more is told. */

let gateway: TestGateway;
let management: string;
const lines: Record<string, unknown>[] = [];
beforeAll(async () => {
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  gateway = await startGateway({
    hooks: { log },
    platforms: { MEM: { adapter: 'memory', delay: 60_000 } },
    config: {
      management: { port: 0 },
      limits: {
        headers: 4096,
        stall: 1,
        headersTimeout: 1,
        bodyTimeout: 1,
        queue: 2,
        operations: 1,
        uploadsPerUser: 1,
        shutdown: 0,
      },
    },
  });
  management = gateway.addresses.find(({ name }) => name === 'Management')?.url ?? '';
});
afterAll(() => gateway.close());

const basic = (user: string) => `Authorization: Basic ${Buffer.from(user).toString('base64')}\r\n`;
const HOST = 'Host: x\r\n';

function open({ origin }: TestGateway): Socket {
  const { hostname, port } = new URL(origin);
  return connect(Number(port), hostname).on('error', () => undefined);
}

/** Sends, and reads until the gateway ends the connection. */
async function converse(to: TestGateway, said: string): Promise<string> {
  const socket = open(to);
  socket.write(said);
  return await text(socket);
}

const upload = (user: string, more = '') =>
  `POST /MEM-api/rest/app/1/version HTTP/1.1\r\n${HOST}${basic(user)}Content-Type: multipart/form-data; boundary=b\r\n` +
  `Content-Length: 5000\r\n${more}\r\n`;
const PART = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nPK';

describe('what cannot be read, or comes too slowly,', () => {
  const document = `POST /MEM-api/rest/app HTTP/1.1\r\n${HOST}${basic(ADMIN)}Content-Type: application/xml\r\n`;
  test.each([
    ['no HTTP', 'secret-thing /x\r\n\r\n', 400, 'InvalidValue'],
    ['no Host', `GET /rest HTTP/1.1\r\nConnection: close\r\n\r\n`, 400, 'InvalidValue'],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nX-A: ${'secret-thing'.repeat(500)}\r\n\r\n`,
      431,
      'HeadersTooLarge',
    ],
    ['headers that do not end', `GET / HTTP/1.1\r\n${HOST}X-Slow: secret-thing`, 408, 'RequestTimeout'],
    ['a chunk without a length', `${document}Transfer-Encoding: chunked\r\n\r\nsecret-thing\r\n`, 400, 'InvalidValue'],
    ['two lengths', `${document}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, 'InvalidValue'],
    ['a document that does not end', `${document}Content-Length: 900\r\n\r\n<secret-thing`, 408, 'RequestTimeout'],
    ['an upload that falls silent', `${upload(ADMIN)}${PART}`, 408, 'RequestTimeout'],
  ])('%s: is answered as any error is', async (_, said, status, code) => {
    await gateway.request('/app', { method: 'POST', body: '<m><paas_application name="A"/></m>' });
    const answer = await converse(gateway, said);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/xml$/im);
    expect(head).toMatch(/^connection: close$/im);
    expect(head).toMatch(/^x-content-type-options: nosniff$/im);
    expect(head).not.toMatch(/^(server|x-powered-by):/im);
    const id = /^x-request-id: (\S+)$/im.exec(head)?.[1];
    expect(body).toMatch(new RegExp(`<error value="[^"]+" code="${code}" status="${status}" requestId="${id}"/>`));
    expect(answer).not.toContain('secret-thing');
  });
});

test('every answer carries the security headers, and none tells what serves it', async () => {
  const document = await gateway.request('/openapi.json');
  const refused = await gateway.request('/app', { user: 'admin:wrong' });
  for (const { headers } of [document, refused, await gateway.request('/app')]) {
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/server|powered/)]));
  }
});

test('uploads of one user run one at a time, those of another beside them, and a broken one gives its place back', async () => {
  const bob = 'bob:the-password-of-bob';
  await gateway.request('/user', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'bob', password: 'the-password-of-bob' }),
  });
  const form = (user: string) =>
    gateway.request('/app/1/version', {
      user,
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      body: `${PART}\r\n--b--\r\n`,
    });
  const held = open(gateway);
  held.write(`${upload(ADMIN, 'Expect: 100-continue\r\n')}`);
  // Its body is wanted: it has its place.
  await new Promise((resolve) => held.once('data', resolve));
  const refused = await form(ADMIN);
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
  expect(refused.text).toContain('code="TooManyRequests"');
  // Another tenant: whatever is said of it, the upload had its turn.
  expect((await form(bob)).status).toBe(404);
  held.destroy();
  await eventually(async () => expect((await form(ADMIN)).text).toContain('code="InvalidValue"'));
});

test('a client that takes nothing of its answer is cut off', async () => {
  const size = 16 * 1024 ** 2;
  const form = new Response(await formOf(randomBytes(size)));
  const headers = { 'Content-Type': form.headers.get('content-type') ?? '' };
  await gateway.request('/app', { method: 'POST', body: '<m><paas_application name="Large"/></m>' });
  const apps = (await gateway.request('/app?name=Large')).text;
  const appId = /<id>(\d+)</.exec(apps)?.[1];
  const body = Buffer.from(await form.arrayBuffer());
  expect((await gateway.request(`/app/${appId}/version`, { method: 'POST', headers, body })).status).toBe(200);
  const idle = open(gateway).pause();
  idle.write(`GET /MEM-api/rest/artefact/${appId}/1/site.zip HTTP/1.1\r\n${HOST}${basic(ADMIN)}\r\n`);
  await eventually(() => expect(lines).toContainEqual(expect.objectContaining({ action: 'downloadArtefact' })));
  let taken = 0;
  for await (const chunk of idle) taken += (chunk as Buffer).length;
  expect(taken).toBeLessThan(size);
});

test('the queue has an end; what runs on a platform, too; both are measured', async () => {
  const create = (headers = {}) =>
    gateway.request('/environment', { method: 'POST', headers, body: '<m><paas_environment name="E"/></m>' });
  const later = { Prefer: 'respond-async' };
  expect((await create()).status).toBe(200);
  const form = new Response(await formOf('one'));
  const type = { 'Content-Type': form.headers.get('content-type') ?? '' };
  const stored = await gateway.request('/app/1/version', {
    method: 'POST',
    headers: type,
    body: Buffer.from(await form.arrayBuffer()),
  });
  expect(stored).toMatchObject({ status: 200 });
  const deploy = () => gateway.request('/app/1/action/deploy/env/1', { method: 'POST', headers: later });
  const metric = async (name: string) =>
    (await rawRequest(`${management}/metrics`)).text.split('\n').find((line) => line.startsWith(`${name} `));
  const inState = (state: string) => metric(`coaps_operations{platform="MEM",state="${state}"}`);
  const first = await deploy();
  await eventually(async () => expect(await inState('RUNNING')).toMatch(/ 1$/));
  // Nothing holds it up but that one task runs on this platform already.
  const waiting = await create(later);
  expect(waiting.status).toBe(202);
  expect([await inState('RUNNING'), await inState('PENDING')]).toEqual([
    'coaps_operations{platform="MEM",state="RUNNING"} 1',
    'coaps_operations{platform="MEM",state="PENDING"} 1',
  ]);
  expect(await metric('coaps_platform_up{platform="MEM"}')).toMatch(/ 1$/);
  const refused = await create(later);
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '10' } });
  expect(refused.text).toContain('code="ServiceUnavailable"');
  expect((await gateway.request('/environment')).text.match(/<environment>/g)).toHaveLength(2);
  expect((await deploy()).headers['location']).toBe(first.headers['location']);
  const sent = upload(ADMIN, 'Expect: 100-continue\r\n').replace('/app/1/version', '/app/1/action/deploy/env/1');
  expect(await converse(gateway, sent)).toMatch(/^HTTP\/1\.1 503 /);
  const cancelled = await gateway.request(`${waiting.headers['location']}/action/cancel`, { method: 'POST' });
  expect(cancelled.text).toContain('status="CANCELLED"');
  expect((await create(later)).status).toBe(202);
  const ended = 'coaps_operation_duration_seconds_count{platform="MEM",action="createEnvironment",state="SUCCEEDED"}';
  expect(await metric(ended)).toMatch(/ 1$/);
});

async function formOf(content: string | Buffer): Promise<FormData> {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(await makeZip({ 'index.html': content }))]), 'site.zip');
  return form;
}

test('an upload is refused before it begins when the disk is almost full; other requests are not', async () => {
  const full = await startGateway({ config: { limits: { diskFloor: '900T' } } });
  try {
    await full.request('/app', { method: 'POST', body: '<m><paas_application name="A"/></m>' });
    const answer = await converse(full, upload(ADMIN, 'Expect: 100-continue\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/^retry-after: 60$/im);
    expect(answer).toContain('disk is almost full');
  } finally {
    await full.close();
  }
});
