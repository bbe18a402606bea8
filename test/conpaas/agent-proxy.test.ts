import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, get, request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { until } from '../../src/conpaas/agent/wait.js';
import { desired, eventually, expose, nodeApp, openRig, proxy, type Rig, sendFiles, textOf } from './agent-rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

async function serve(more: string) {
  const { client, ...rest } = await rig.agent();
  await sendFiles(client, 'code-a', nodeApp('', more));
  await client.apply(desired('code-a'));
  return { client, ...rest, url: await expose(client) };
}

describe('the proxy', () => {
  it('overwrites what a client claims about forwarding', async () => {
    const { url } = await serve('const answer = (q, r) => r.end(JSON.stringify(q.headers));');
    const lies = {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Proto': 'https',
      Forwarded: 'for=6.6.6.6',
      'X-Real-IP': '6.6.6.6',
    };
    const headers = JSON.parse(await textOf(url, { headers: lies })) as Record<string, string>;
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(url).host,
      host: new URL(url).host,
    });
    expect(JSON.stringify(headers)).not.toContain('6.6.6.6');
  });

  it('passes WebSockets both ways', async () => {
    const { url } = await serve(`
      const crypto = require('node:crypto');
      const original = http.createServer;
      http.createServer = (handler) => original(handler).on('upgrade', (request, socket) => {
        const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
        socket.on('data', (data) => socket.write(Buffer.concat([Buffer.from('echo:'), data])));
      });`);
    const { hostname, port } = new URL(url);
    const key = randomBytes(16).toString('base64');
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.write(
      `GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    expect(await until(() => received.includes('\r\n\r\n'), 10_000)).toBe(true);
    expect(received).toMatch(/^HTTP\/1\.1 101/);
    socket.write('ping');
    expect(await until(() => received.endsWith('echo:ping'), 10_000)).toBe(true);
    socket.destroy();
  });

  it('answers a request that asks for HTTP/2 as if it had not, body and all', async () => {
    const { url } = await serve(
      'const answer = (q, r) => { let n = 0; q.on("data", (d) => { n += d.length; }).on("end", () => r.end("got " + n)); };',
    );
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.write(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 10\r\n\r\n12345',
    );
    socket.write('67890');
    expect(await until(() => received.includes('got 10'), 10_000)).toBe(true);
    socket.destroy();
  });

  it('streams large bodies both ways without holding them', async () => {
    const { url, client } = await serve(`
      const crypto = require('node:crypto');
      const answer = (q, r) => {
        if (q.method === 'GET') { const block = Buffer.alloc(1 << 20, 1); let left = 200; const more = () => { while (left-- > 0) if (!r.write(block)) return r.once('drain', more); r.end(); }; return more(); }
        const hash = crypto.createHash('sha256'); q.on('data', (d) => hash.update(d)).on('end', () => r.end(hash.digest('hex')));
      };`);
    const block = Buffer.alloc(1024 * 1024, 7);
    const hash = createHash('sha256');
    for (let index = 0; index < 200; index += 1) hash.update(block);
    const answer = await new Promise<string>((resolve, reject) => {
      const outgoing = request(url, { method: 'POST' }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve(text));
      });
      outgoing.on('error', reject);
      Readable.from(
        (function* () {
          for (let index = 0; index < 200; index += 1) yield block;
        })(),
      ).pipe(outgoing);
    });
    expect(answer).toBe(hash.digest('hex'));
    const { body } = await fetch(url);
    let length = 0;
    for await (const chunk of body ?? []) length += (chunk as Uint8Array).length;
    expect(length).toBe(200 * 1024 * 1024);
    const { pid } = await client.status();
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
    expect(peak).toBeLessThan(250 * 1024);
  });

  it('keeps its connections to the application', async () => {
    const { url } = await serve(
      'const sockets = new Set(); const answer = (q, r) => { sockets.add(q.socket); r.end(String(sockets.size)); };',
    );
    let last = '';
    for (let index = 0; index < 20; index += 1) last = await textOf(url);
    // One of the health probe, one that is kept.
    expect(Number(last)).toBeLessThanOrEqual(3);
  });

  it('lets the client see when the application breaks off its answer', async () => {
    const { url } = await serve(
      'const answer = (q, r) => { r.writeHead(200, { "Content-Length": 1000 }); r.write("some"); setTimeout(() => q.url === "/cut" ? r.socket.destroy() : r.end("x".repeat(996)), 50); };',
    );
    await expect(textOf(`${url}/cut`)).rejects.toThrow();
    expect((await textOf(url)).length).toBe(1000);
  });

  it('tells the application when the client goes away', async () => {
    const { url } = await serve(
      'let gone = 0; const answer = (q, r) => { if (q.url === "/gone") return r.end(String(gone)); r.on("close", () => { gone += 1; }); r.write("begin"); };',
    );
    const controller = new AbortController();
    const response = await fetch(`${url}/wait`, { signal: controller.signal });
    expect(response.status).toBe(200);
    controller.abort();
    let gone = '';
    await until(async () => {
      gone = await textOf(`${url}/gone`);
      return gone !== '0';
    }, 10_000);
    expect(Number(gone)).toBeGreaterThanOrEqual(1);
  });

  it('cannot take a port that somebody has, and says so', async () => {
    const { client, url } = await serve('');
    const other = await rig.agent();
    const listen = { host: '127.0.0.1', port: Number(new URL(url).port) };
    await expect(other.client.proxy({ listen, own: true, backends: [] })).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('EADDRINUSE'),
    });
    await client.proxy(null);
    await other.client.proxy({ listen, own: true, backends: [] });
    expect((await fetch(url)).status).toBe(503);
  });
});

describe('several backends', () => {
  it('share the requests, and a dead one is skipped without a failed request', async () => {
    const front = await rig.agent();
    const nodes = [await rig.agent(), await rig.agent()];
    for (const { client, agentId } of nodes) {
      await sendFiles(client, 'code-a', nodeApp(agentId));
      await client.apply(desired('code-a'));
    }
    const backends = await Promise.all(nodes.map(async ({ client }) => (await client.status()).backend));
    const url = await proxy(front.client, { own: false, backends });
    const names = nodes.map(({ agentId }) => agentId);
    const answers = async (count: number) => await Promise.all(Array.from({ length: count }, () => textOf(url)));
    expect(new Set(await answers(20))).toEqual(new Set(names));
    const [dying] = nodes;
    const pid = (await dying?.client.status())?.application.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    for (const answer of await answers(50)) expect(names).toContain(answer);
    // Its agent is killed too: the connection itself is refused.
    const agentPid = (await dying?.client.status())?.pid ?? 0;
    process.kill(agentPid, 'SIGKILL');
    for (const answer of await answers(50)) expect(names).toContain(answer);
    await rig.cloud.revive(dying?.agentId ?? '');
    const seen = new Set<string>();
    await until(async () => {
      for (const answer of await answers(10)) seen.add(answer);
      return seen.size === 2;
    }, 20_000);
    expect(seen).toEqual(new Set(names));
  });
});

it('no request fails while versions replace one another', async () => {
  const { client } = await rig.agent();
  const slow = 'const answer = (q, r) => setTimeout(() => r.end(VERSION), 30);';
  for (const version of ['one', 'two', 'three']) {
    await sendFiles(client, `code-${version}`, nodeApp('', `const VERSION = "${version}"; ${slow}`));
  }
  await client.apply(desired('code-one'));
  const url = await expose(client);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const seen = new Map<string, number>();
  const failures: string[] = [];
  let done = false;
  const ask = (method: string) =>
    new Promise<void>((resolve) => {
      const outgoing = request(
        url,
        { method, agent, headers: method === 'POST' ? { 'Content-Length': 4 } : {} },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on('end', () => {
            if (response.statusCode === 200) seen.set(text, (seen.get(text) ?? 0) + 1);
            else failures.push(`${response.statusCode} ${text}`);
            resolve();
          });
        },
      );
      outgoing.on('error', (error) => {
        failures.push(String(error));
        resolve();
      });
      outgoing.end(method === 'POST' ? 'body' : undefined);
    });
  const load = Array.from({ length: 8 }, async (_, index) => {
    while (!done) await ask(index % 2 === 0 ? 'GET' : 'POST');
  });
  await client.apply(desired('code-two'));
  await client.apply(desired('code-three'));
  await client.apply(desired('code-three', { variables: { ANOTHER: '1' } }));
  done = true;
  await Promise.all(load);
  agent.destroy();
  expect(failures).toEqual([]);
  expect([...seen.keys()].sort()).toEqual(['one', 'three', 'two']);
  await eventually(client, ({ application }) => application.phase === 'running');
});

it('a proxy without a running application answers 503', async () => {
  const { client } = await rig.agent();
  const url = await expose(client);
  const status = await new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume();
      resolve([response.statusCode, response.headers['retry-after']]);
    }).on('error', reject);
  });
  expect(status).toEqual([503, '5']);
});
