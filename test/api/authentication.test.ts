import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { Fault } from '../../src/domain/errors.js';
import { canonicalRequest } from '../../src/http/signature.js';
import { sendRaw } from '../support/raw-socket.js';
import { signedPath } from '../support/signing.js';
import { authentication, type Listening, listen, plainHandlers } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen();
});
afterAll(() => service.close());

const basic = (pair: string | Buffer) => `Basic ${Buffer.from(pair).toString('base64')}`;
const asking = (header?: string, at = service) =>
  at.request('/app/21', { user: '', ...(header !== undefined && { headers: { Authorization: header } }) });

describe('Basic authentication', () => {
  test.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another scheme', 'Bearer abc'],
    ['no credentials', 'Basic'],
    ['no base64', 'Basic ***'],
    ['no colon', basic('ada')],
    ['a wrong password', basic('ada:wrong')],
    ['a password cut at its second colon', basic('ada:se')],
    ['an unknown user', basic('nobody:x')],
    ['empty credentials', 'Basic Og=='],
    ['trailing junk', `${basic('ada:se:cr:et')} junk`],
    ['bytes that are no UTF-8', basic(Buffer.from([0xff, 0x3a, 0xfe]))],
    ['the name of a member of Object', basic('__proto__:x')],
  ])('with %s is 401 with the challenge, as XML', async (_, header) => {
    const answer = await asking(header);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="COAPS"');
    expect(answer.headers['content-type']).toBe('application/xml');
    expect(answer.text).toMatch(
      /^<\?xml [^>]*\?><error value="[^"]+" code="Unauthorized" status="401" requestId="[^"]+"\/>$/,
    );
  });

  test.each([
    ['colons in the password', basic('ada:se:cr:et')],
    ['a lower-case scheme', basic('ada:se:cr:et').replace('Basic', 'basic')],
    ['two spaces', basic('ada:se:cr:et').replace(' ', '  ')],
    ['base64 without padding', basic('ada:se:cr:et').replace(/=+$/, '')],
    ['UTF-8', basic('zoë:größe')],
    ['an empty password', basic('empty:')],
  ])('takes %s', async (_, header) => {
    expect((await asking(header)).status).toBe(200);
  });

  test('takes the first of two Authorization headers', async () => {
    const send = (first: string, second: string) =>
      sendRaw(
        service.port,
        `GET /CF-api/rest/app/21 HTTP/1.1\r\nHost: x\r\nAuthorization: ${first}\r\nAuthorization: ${second}\r\n\r\n`,
      );
    expect((await send(basic('ada:se:cr:et'), basic('ada:wrong'))).status).toBe(200);
    expect((await send(basic('ada:wrong'), basic('ada:se:cr:et'))).status).toBe(401);
  });

  test('comes first on every path, known or not', async () => {
    for (const path of ['/app/99', '/nothing', '/app/%zz', '/app/x', '']) {
      expect((await service.request(path, { user: '' })).status).toBe(401);
    }
    expect((await service.request(`${service.origin}/elsewhere`, { user: '' })).status).toBe(401);
    expect((await service.request(`${service.origin}/elsewhere`)).status).toBe(404);
  });

  test('tells when to come back after too many failures', async () => {
    const limited = await listen({
      authentication: {
        ...authentication,
        byPassword: async () => {
          throw new Fault('TooManyRequests', 'Too many failures.', { retryAfter: 30 });
        },
      },
    });
    const answer = await asking(basic('ada:x'), limited);
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '30']);
    await limited.close();
  });

  test('that fails inside is a 500 without a word of why, and a line in the log', async () => {
    const broken = await listen({
      authentication: { ...authentication, byPassword: () => Promise.reject(new Error('the secret is out')) },
    });
    const answer = await asking(basic('ada:x'), broken);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/secret|at /);
    expect(broken.logged).toEqual([
      expect.objectContaining({ err: expect.objectContaining({ message: 'the secret is out' }) }),
    ]);
    await broken.close();
  });
});

describe('With an anonymous user', () => {
  let open: Listening;
  let seen: string[];
  beforeAll(async () => {
    seen = [];
    const handlers = plainHandlers();
    open = await listen({
      anonymous: 'anon',
      handlers: {
        ...handlers,
        describeApplication(call) {
          seen.push(call.principal.name);
          return handlers.describeApplication(call);
        },
      },
    });
  });
  afterAll(() => open.close());
  beforeEach(() => {
    seen.length = 0;
  });

  test.each([
    ['absent', undefined],
    ['empty', 'Basic Og=='],
    ['of no known user', basic('user:secret')],
  ])('a request whose credentials are %s acts as that user', async (_, header) => {
    expect((await asking(header, open)).status).toBe(200);
    expect(seen[0]).toBe('anon');
  });

  test('a known name with its password acts as itself, and with a wrong one is 401', async () => {
    expect((await asking(basic('ada:se:cr:et'), open)).status).toBe(200);
    expect(seen[0]).toBe('ada');
    expect((await asking(basic('ada:wrong'), open)).status).toBe(401);
  });
});

describe('A signed request', () => {
  const NOW = 1_800_000_000;
  let signed: Listening;
  beforeAll(async () => {
    signed = await listen({ now: () => NOW * 1000 });
  });
  afterAll(() => signed.close());

  interface Wish {
    method?: string;
    path?: string;
    parameters?: Record<string, string>;
    secret?: string;
    algorithm?: 'sha256' | 'sha1';
    body?: string;
    without?: string;
  }
  function sign({ method, path = '/app/21', parameters = {}, secret = 'the-secret', algorithm, without }: Wish) {
    const query: Record<string, string> = { AccessKeyId: 'ada', Timestamp: String(NOW), ...parameters };
    if (without) delete query[without];
    const target = { host: `127.0.0.1:${signed.port}`, path: `/CF-api/rest${path}`, parameters: query, secret };
    return signedPath({ ...target, ...(method && { method }), ...(algorithm && { algorithm }) }).replace(
      '/CF-api/rest',
      '',
    );
  }
  async function send(wish: Wish) {
    const { method = 'GET', body } = wish;
    const answer = await signed.request(sign(wish), {
      user: '',
      method,
      ...(body !== undefined && { body, headers: { 'Content-Type': 'application/xml' } }),
    });
    return { status: answer.status, code: /code="([^"]+)"/.exec(answer.text)?.[1], text: answer.text };
  }

  test('needs no Basic, with either method, by user name or by key id', async () => {
    expect((await send({})).status).toBe(200);
    expect((await send({ parameters: { AccessKeyId: 'k1' } })).status).toBe(200);
    expect((await send({ parameters: { SignatureMethod: 'HmacSHA256' } })).status).toBe(200);
    expect((await send({ parameters: { SignatureMethod: 'HmacSHA1' }, algorithm: 'sha1' })).status).toBe(200);
    expect((await send({ parameters: { Action: 'describeApplication', Version: '0.1', Format: 'xml' } })).status).toBe(
      200,
    );
  });

  test.each<[string, Wish, number, string]>([
    ['with another secret', { secret: 'other' }, 400, 'Invalid signature'],
    ['with the wrong method', { parameters: { SignatureMethod: 'HmacSHA1' } }, 400, 'Invalid signature'],
    ['by an unknown key', { parameters: { AccessKeyId: 'nobody' } }, 403, 'InvalidKeyId'],
    ['without a key', { without: 'AccessKeyId' }, 403, 'MissingAuthentication'],
    ['without a time', { without: 'Timestamp' }, 400, 'MissingParameter'],
    ['that is too old', { parameters: { Timestamp: String(NOW - 901) } }, 400, 'RequestExpired'],
    ['from the future', { parameters: { Timestamp: String(NOW + 901) } }, 400, 'RequestExpired'],
    ['with an unknown method', { parameters: { SignatureMethod: 'HmacMD5' } }, 400, 'InvalidValue'],
    ['with the method of Object', { parameters: { SignatureMethod: 'constructor' } }, 400, 'InvalidValue'],
  ])('%s is refused', async (_, wish, status, code) => {
    expect(await send(wish)).toMatchObject({ status, code });
  });

  test('holds to 15 minutes, to the second', async () => {
    expect((await send({ parameters: { Timestamp: String(NOW - 900) } })).status).toBe(200);
    expect((await send({ parameters: { Timestamp: String(NOW + 900) } })).status).toBe(200);
  });

  test('is bound to its method, its path and its parameters', async () => {
    const good = sign({});
    const code = async (path: string, method = 'GET') =>
      /code="([^"]+)"/.exec((await signed.request(path, { user: '', method })).text)?.[1];
    expect(await code(good)).toBeUndefined();
    expect(await code(good.replace('/app/21', '/app/22'))).toBe('Invalid signature');
    expect(await code(good, 'DELETE')).toBe('Invalid signature');
    expect(await code(`${good}&Version=0.1`)).toBe('Invalid signature');
    expect(await code(good.replace(/Signature=.*/, 'Signature='))).toBe('Invalid signature');
  });

  test('binds its body by ContentSha256', async () => {
    const body = '<paas_application name="A"/>';
    const ContentSha256 = createHash('sha256').update(body).digest('hex');
    const wish = { method: 'POST', path: '/app', body };
    expect(await send(wish)).toMatchObject({ status: 400, code: 'MissingParameter' });
    expect(await send({ ...wish, parameters: { ContentSha256 } })).toMatchObject({ status: 200 });
    expect(await send({ ...wish, parameters: { ContentSha256: ContentSha256.toUpperCase() } })).toMatchObject({
      status: 200,
    });
    const tampered = await send({ ...wish, body: body.replace('A', 'B'), parameters: { ContentSha256 } });
    expect(tampered).toMatchObject({ status: 400, code: 'Invalid signature' });
  });

  test('binds the body of an upload too', async () => {
    const body = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nPKbytes\r\n--b--\r\n';
    const ContentSha256 = createHash('sha256').update(body).digest('hex');
    const path = '/app/21/version';
    const upload = (text: string) =>
      signed.request(sign({ method: 'POST', path, parameters: { ContentSha256 } }), {
        user: '',
        method: 'POST',
        body: text,
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      });
    expect((await upload(body)).status).toBe(200);
    const tampered = await upload(body.replace('PKbytes', 'PKBytes'));
    expect([tampered.status, tampered.text]).toEqual([400, expect.stringContaining('code="Invalid signature"')]);
  });

  test('has a canonical form that names every part', () => {
    expect(
      canonicalRequest('GET', 'Paas.Example.ORG:8080', {
        path: '/CF-api/rest/app',
        query: [
          ['b', 'x y*'],
          ['Signature', 's'],
          ['B', '~'],
          ['a', ''],
        ],
      }),
    ).toBe('GET\npaas.example.org:8080\n/CF-api/rest/app\nB=~&a=&b=x%20y%2A');
  });

  test('with any parameters verifies only as it was signed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.string(), async (one, other) => {
        const path = sign({ path: '/app', parameters: { name: one } });
        expect((await signed.request(path, { user: '' })).status).toBe(200);
        if (one === other) return;
        const changed = path.replace(/name=[^&]*/, `name=${encodeURIComponent(other)}`);
        if (changed !== path) expect((await signed.request(changed, { user: '' })).status).toBe(400);
      }),
      { numRuns: 30 },
    );
  });
});
