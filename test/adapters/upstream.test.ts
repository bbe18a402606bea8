import { buffer } from 'node:stream/consumers';
import { type Answer, createPeers, cut, failure, good, status } from '../support/upstream-peer.js';

const peers = createPeers();
const { open, serve } = peers;
const { signal } = new AbortController();
afterEach(() => peers.close());

test('each attempt is told, and how it was answered', async () => {
  const { url } = await serve(cut, status(502), good);
  const told: object[] = [];
  await open(url, { onCall: (one) => void told.push(one) }).request({ method: 'GET', path: '/a', signal });
  const seconds = expect.any(Number);
  expect(told).toEqual([0, 502, 200].map((code) => ({ method: 'GET', status: code, seconds })));
});

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
    const { url, stop } = await serve(good);
    await stop();
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

  test('standing in line behind others takes nothing of the time for repeating', async () => {
    const late: Answer = (_, response) => setTimeout(() => response.end('{}'), 400);
    const { url, seen } = await serve(late, status(503), good);
    const upstream = open(url, { concurrency: 1, patience: 300 });
    const first = upstream.request({ method: 'GET', path: '/first', signal });
    const second = upstream.request({ method: 'GET', path: '/second', signal });
    expect((await Promise.all([first, second]))[1]?.body).toEqual({ good: true });
    expect(seen).toEqual(['GET /first', 'GET /second', 'GET /second']);
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
