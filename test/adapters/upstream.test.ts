import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import {
  createTokenSource,
  createUpstream,
  type Upstream,
  type UpstreamError,
  type UpstreamSettings,
} from '../../adapters/upstream.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse, attempt: number) => unknown;

/** A server that answers the n-th request with the n-th answer, and the last one from then on. */
async function serve(...answers: Answer[]) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    void answers[Math.min(seen.length, answers.length) - 1]?.(request, response, seen.length);
  });
  return { url: await listen(server), seen };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(baseUrl: string, changes: Partial<UpstreamSettings> = {}): Upstream {
  const upstream = createUpstream({
    name: 'The platform',
    baseUrl,
    requestTimeout: 2000,
    patience: 2000,
    firstPause: 2,
    ...changes,
  });
  closing.push(() => upstream.close());
  return upstream;
}

const good: Answer = (_, response) => response.end('{"good":true}');
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end('{"error":"no"}');
const cut: Answer = (request) => request.socket.destroy();
const { signal } = new AbortController();
const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect('success').toBe('failure') as never,
    (error: UpstreamError) => error,
  );

describe('repeating', () => {
  test.each([
    ['502', status(502)],
    ['503 with Retry-After', status(503, { 'retry-after': '0' })],
    ['a cut connection', cut],
  ])('a GET gets over %s', async (_, trouble) => {
    const { url, seen } = await serve(trouble, trouble, good);
    expect((await open(url).request({ method: 'GET', path: '/a', signal })).body).toEqual({ good: true });
    expect(seen.length).toBe(3);
  });

  test.each([
    ['502', status(502)],
    ['a cut connection', cut],
  ])('a POST does not, after %s: it is uncertain', async (_, trouble) => {
    const { url, seen } = await serve(trouble, good);
    expect((await failure(open(url).request({ method: 'POST', path: '/a', json: {}, signal }))).uncertain).toBe(true);
    expect(seen.length).toBe(1);
  });

  test('a POST does where twice is the same as once', async () => {
    const { url, seen } = await serve(cut, good);
    await open(url).request({ method: 'POST', path: '/a', signal, repeatable: true });
    expect(seen.length).toBe(2);
  });

  test('a POST that was not even taken is asked again: 429', async () => {
    const { url, seen } = await serve(status(429, { 'retry-after': '0' }), good);
    await open(url).request({ method: 'POST', path: '/a', signal });
    expect(seen.length).toBe(2);
  });

  test.each([400, 404, 422, 501])('%d is an answer', async (code) => {
    const { url, seen } = await serve(status(code));
    expect(await failure(open(url).request({ method: 'GET', path: '/a', signal }))).toMatchObject({
      status: code,
      uncertain: false,
      body: { error: 'no' },
    });
    expect(seen.length).toBe(1);
  });

  test('ends after some attempts', async () => {
    const { url, seen } = await serve(status(503));
    expect((await failure(open(url).request({ method: 'GET', path: '/a', signal }))).status).toBe(503);
    expect(seen.length).toBe(6);
  });

  test('nobody listens: it says so', async () => {
    const { url } = await serve(good);
    await closing.splice(0)[0]?.();
    expect(await failure(open(url).request({ method: 'POST', path: '/a', signal }))).toMatchObject({
      trouble: 'refused',
      uncertain: false,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('a rate limit', () => {
  test('is waited for until X-RateLimit-Reset', async () => {
    const reset = Math.ceil(Date.now() / 1000);
    const asked: number[] = [];
    const { url } = await serve(status(429, { 'x-ratelimit-reset': String(reset) }), (_, response) => {
      asked.push(Date.now());
      response.end('{}');
    });
    await open(url).request({ method: 'GET', path: '/a', signal });
    expect(asked[0]).toBeGreaterThanOrEqual(reset * 1000);
  });

  test('beyond the patience ends the call at once, and tells when to come again; nobody else asks meanwhile', async () => {
    const { url, seen } = await serve(status(429, { 'retry-after': '2395' }));
    const upstream = open(url);
    expect(await failure(upstream.request({ method: 'GET', path: '/a', signal }))).toMatchObject({
      status: 429,
      retryAfter: 2395,
    });
    expect(await failure(upstream.request({ method: 'GET', path: '/b', signal }))).toMatchObject({
      status: 429,
      message: expect.stringContaining('opens again in'),
    });
    expect(seen).toEqual(['GET /a']);
  });

  test('is nobody’s business on other errors, whose answers carry its headers too', async () => {
    const { url, seen } = await serve(status(503, { 'x-ratelimit-reset': String(Date.now() / 1000 + 3600) }), good);
    await open(url).request({ method: 'GET', path: '/a', signal });
    expect(seen.length).toBe(2);
  });
});

describe('time', () => {
  test('an answer that does not come is a time-out, and names what was asked', async () => {
    const { url } = await serve(() => {});
    const error = await failure(
      open(url, { requestTimeout: 30, patience: 10 }).request({ method: 'GET', path: '/slow?secret=1', signal }),
    );
    expect(error).toMatchObject({
      trouble: 'timeout',
      uncertain: true,
      message: 'The platform does not answer GET /slow: no answer for 0.03 s.',
    });
  });

  test('an upload may take longer than an answer, as long as it moves', async () => {
    const { url } = await serve(async (request, response) => response.end(String((await buffer(request)).length)));
    const slow = async function* () {
      for (let chunk = 0; chunk < 10; chunk += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield Buffer.alloc(1000);
      }
    };
    const stream = { type: 'application/zip', size: 10_000, open: slow };
    const answer = await open(url, { requestTimeout: 120 }).request({ method: 'POST', path: '/a', stream, signal });
    expect(answer.body).toBe('10000');
  });

  test.each(['an answer', 'a pause', 'the line'])('an abort ends %s soon, with its own reason', async (place) => {
    const { url } = await serve(place === 'a pause' ? status(503, { 'retry-after': '1' }) : () => {});
    const upstream = open(url, { concurrency: 1, requestTimeout: 60_000, patience: 60_000 });
    const other = new AbortController();
    const before =
      place === 'the line' ? upstream.request({ method: 'GET', path: '/first', signal: other.signal }) : undefined;
    const mine = new AbortController();
    const work = upstream.request({ method: 'GET', path: '/a', signal: mine.signal });
    const reason = new Error('enough');
    setTimeout(() => mine.abort(reason), 30);
    await expect(work).rejects.toBe(reason);
    other.abort(reason);
    await before?.catch(() => {});
  });
});

describe('bodies', () => {
  test('a stream is opened afresh for each attempt, and closed', async () => {
    const bodies: number[] = [];
    const take: Answer = async (request, response, attempt) => {
      bodies.push((await buffer(request)).length);
      if (attempt < 3) response.writeHead(503).end();
      else response.end('{}');
    };
    const { url } = await serve(take, take, take);
    const opened = { count: 0, closed: 0 };
    const stream = {
      type: 'application/zip',
      size: 5000,
      async *open() {
        opened.count += 1;
        try {
          yield Buffer.alloc(5000);
        } finally {
          opened.closed += 1;
        }
      },
    };
    await open(url).request({ method: 'POST', path: '/a', stream, signal, repeatable: true });
    expect([bodies, opened]).toEqual([[5000, 5000, 5000], { count: 3, closed: 3 }]);
  });

  test.each([4000, 6000])('a source of %d bytes that promised 5000 is an error, not an upload', async (size) => {
    const { url } = await serve(async (request, response) => {
      await buffer(request).catch(() => {});
      response.end('{}');
    });
    const stream = {
      type: 'application/zip',
      size: 5000,
      async *open() {
        yield Buffer.alloc(size);
      },
    };
    const error = await failure(open(url).request({ method: 'POST', path: '/a', stream, signal }));
    expect(error.message).toMatch(/the source gave \d+ bytes instead of 5000/);
  });

  test('what an absolute address names is asked at the own origin only', async () => {
    const { url, seen } = await serve(good);
    await open(url).request({ method: 'GET', path: 'https://api.elsewhere.example/v3/jobs/1?a=b', signal });
    expect(seen).toEqual(['GET /v3/jobs/1?a=b']);
  });

  test('a redirect is not followed', async () => {
    const { url, seen } = await serve(status(302, { location: 'https://elsewhere.example/' }));
    expect((await failure(open(url).request({ method: 'GET', path: '/a', signal }))).message).toMatch(
      /redirects GET \/a to https:\/\/elsewhere/,
    );
    expect(seen.length).toBe(1);
  });

  test('what is no JSON is text', async () => {
    const { url } = await serve((_, response) => response.end('{broken'));
    expect((await open(url).request({ method: 'GET', path: '/a', signal })).body).toBe('{broken');
  });
});

describe('the token', () => {
  const tokens = (lives: number[]) => {
    let fetched = 0;
    const source = createTokenSource(async () => {
      const life = lives[Math.min(fetched, lives.length - 1)] ?? 0;
      fetched += 1;
      return { value: `token-${fetched}`, expiresAt: Date.now() + life };
    });
    return { source, fetched: () => fetched };
  };

  test('is one for all who ask at once, and renewed before its end', async () => {
    const { source, fetched } = tokens([600_000]);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => source.get(signal)))).size).toBe(1);
    expect(fetched()).toBe(1);
    const short = tokens([0]);
    await short.source.get(signal);
    await short.source.get(signal);
    expect(short.fetched()).toBe(2);
  });

  test('that is refused is renewed once, for all', async () => {
    const asked: string[] = [];
    const { source, fetched } = tokens([600_000]);
    const { url } = await serve((request, response) => {
      asked.push(request.headers.authorization ?? '');
      response.writeHead(request.headers.authorization === 'bearer token-1' ? 401 : 200).end('{}');
    });
    const upstream = open(url, { tokens: source });
    await Promise.all(Array.from({ length: 20 }, () => upstream.request({ method: 'POST', path: '/a', signal })));
    expect(fetched()).toBe(2);
    expect(asked.filter((one) => one === 'bearer token-2').length).toBe(20);
  });

  test('that is refused again is an error', async () => {
    const { url, seen } = await serve(status(401));
    const { source } = tokens([600_000]);
    expect((await failure(open(url, { tokens: source }).request({ method: 'GET', path: '/a', signal }))).status).toBe(
      401,
    );
    expect(seen.length).toBe(2);
  });

  test('one waiter’s abort ends it for no other', async () => {
    let give: (value: { value: string; expiresAt: number }) => void = () => {};
    const source = createTokenSource(() => new Promise((resolve) => (give = resolve)));
    const impatient = new AbortController();
    const [first, second] = [source.get(impatient.signal), source.get(signal)];
    impatient.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    give({ value: 't', expiresAt: Date.now() + 60_000 });
    expect(await second).toBe('t');
  });

  test('that could not be fetched is fetched by the next who asks', async () => {
    let attempts = 0;
    const source = createTokenSource(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('no');
      return { value: 't', expiresAt: Date.now() + 60_000 };
    });
    await expect(source.get(signal)).rejects.toThrow('no');
    expect(await source.get(signal)).toBe('t');
  });
});

describe('a certificate', () => {
  test('that is not trusted is told, and trusted with its authority', async () => {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const day = 86_400_000;
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=localhost',
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + day),
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    const exported = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    const key = `-----BEGIN PRIVATE KEY-----\n${exported}\n-----END PRIVATE KEY-----\n`;
    const ca = certificate.toString('pem');
    const listener: RequestListener = (_, response) => response.end('{}');
    const url = (await listen(createTlsServer({ key, cert: ca }, listener) as unknown as Server)).replace(
      'http://127.0.0.1',
      'https://localhost',
    );
    const untrusting = open(url);
    expect(await failure(untrusting.request({ method: 'GET', path: '/a', signal }))).toMatchObject({
      trouble: 'refused',
      message: expect.stringMatching(/certificate of The platform is not trusted/),
    });
    expect((await open(url, { ca }).request({ method: 'GET', path: '/a', signal })).status).toBe(200);
    expect((await open(url, { skipTlsVerification: true }).request({ method: 'GET', path: '/a', signal })).status).toBe(
      200,
    );
  });
});
