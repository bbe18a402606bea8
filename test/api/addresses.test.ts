import { sendRaw } from '../support/raw-socket.js';
import { BASIC, type Listening, listen } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ limits: { document: 1024 ** 2 } });
});
afterAll(() => service.close());

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
