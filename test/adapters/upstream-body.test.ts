import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { eventually } from '../support/conditions.js';
import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import { createTokenSource } from '../../adapters/upstream.js';
import { type Answer, createPeers, failure, good, status } from '../support/upstream-peer.js';

const peers = createPeers();
const { open, serve } = peers;
const { signal } = new AbortController();
afterEach(() => peers.close());

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

  test('what a source gives beyond its size is never sent: it would be read as another request', async () => {
    const { url, seen } = await serve((request, response) =>
      request.resume().on('end', () => setTimeout(() => response.end(), 200)),
    );
    const more = async function* () {
      yield Buffer.alloc(10);
      await eventually(() => expect(seen).toContain('PUT /a'));
      yield Buffer.from('GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const stream = { type: 'text/plain', size: 10, open: more };
    await open(url)
      .request({ method: 'PUT', path: '/a', stream, signal })
      .catch(() => {});
    expect(seen).toContain('PUT /a');
    expect(seen).not.toContain('GET /smuggled');
  });

  test('a proxy of the gateway’s surroundings is not used: it would see the tokens', async () => {
    const proxy = await serve(good);
    const { url, seen } = await serve(good);
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: '', no_proxy: '' });
    try {
      await open(url).request({ method: 'GET', path: '/a', signal });
    } finally {
      process.env = before;
    }
    expect([seen.length, proxy.seen.length]).toEqual([1, 0]);
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
    const server = await peers.listen(createTlsServer({ key, cert: ca }, listener) as unknown as Server);
    const url = server.url.replace('http://127.0.0.1', 'https://localhost');
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
