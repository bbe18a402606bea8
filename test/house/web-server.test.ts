import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectSecurely } from 'node:tls';
import { createAuthority } from '../../src/conpaas/certificates.js';
import { eventually } from '../support/conditions.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';
import { rawRequest } from '../support/raw-request.js';

let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

/** What the server sends on one connection until it ends it. */
async function converse(origin: string, ...said: string[]): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  for (const part of said) socket.write(part);
  return await text(socket);
}

const basic = (user: string) => `Authorization: Basic ${Buffer.from(user).toString('base64')}`;

describe('the web server', () => {
  it('gives up a client that never ends its headers', async () => {
    gateway = await startGateway({ config: { limits: { headersTimeout: 1 } } });
    const answer = await converse(gateway.origin, 'GET /rest HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('answers Expect: 100-continue when it wants the body, and refuses without it', async () => {
    gateway = await startGateway();
    const head = (user: string) =>
      `POST /MEM-api/rest/app HTTP/1.1\r\nHost: x\r\n${basic(user)}\r\nExpect: 100-continue\r\nContent-Length: 36\r\n`;
    const refused = await converse(gateway.origin, `${head('admin:wrong')}\r\n`);
    expect(refused).toMatch(/^HTTP\/1\.1 401 /);
    expect(refused).toMatch(/connection: close/i);
    const taken = await converse(
      gateway.origin,
      `${head(ADMIN)}Connection: close\r\n\r\n`,
      '<m><paas_application name="A"/></m> ',
    );
    expect(taken).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });

  it('lets a request end that runs when the gateway is closed', async () => {
    gateway = await startGateway({ platforms: { MEM: { adapter: 'memory', delay: 300 } } });
    const answer = gateway.request('/environment', { method: 'POST', body: '<m><paas_environment name="E"/></m>' });
    await eventually(async () => expect((await gateway?.request('/task'))?.text).toContain('createEnvironment'));
    const { origin } = gateway;
    await gateway.close();
    expect((await answer).status).toBe(200);
    await expect(rawRequest(origin)).rejects.toThrow('ECONNREFUSED');
  });

  it('serves https, and takes a new certificate without a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coaps-tls-'));
    try {
      const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
      const install = async () => {
        const credential = await createAuthority(new Date());
        writeFileSync(files.cert, credential.certificate);
        writeFileSync(files.key, credential.key);
      };
      await install();
      gateway = await startGateway({ config: { listen: { port: 0, tls: files } } });
      expect(gateway.base).toMatch(/^https:/);
      const first = await gateway.request('/');
      expect({ status: first.status, links: first.text.includes(`href="${gateway.base}/app"`) }).toEqual({
        status: 200,
        links: true,
      });
      const before = await fingerprint(gateway.origin);
      await install();
      await eventually(async () => expect(await fingerprint(gateway?.origin ?? '')).not.toBe(before), 30);
      writeFileSync(files.cert, 'no certificate at all');
      expect((await gateway.request('/')).status).toBe(200);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function fingerprint(origin: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connectSecurely({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
