import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessGroup, startGroup } from '../../src/conpaas/agent/group.js';
import { openOutput } from '../../src/conpaas/agent/output.js';
import { freePort } from '../../src/conpaas/agent/ports.js';
import { probe } from '../../src/conpaas/agent/probe.js';
import { pause } from '../../src/conpaas/agent/wait.js';

describe('an application that is waited for', () => {
  let data: string;
  const opened: { close(): unknown }[] = [];
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'coaps-probe-'));
  });
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
    await rm(data, { recursive: true });
  });

  const group = async (args: string[], mark: string) => {
    const output = await openOutput(join(data, mark), { fileBytes: 10_000, files: 2 });
    const env = { PATH: process.env['PATH'] ?? '' };
    const started = await startGroup({ command: 'node', args, cwd: '/', env, owner: null, mark }, output);
    opened.push(output, { close: () => started.stop(0) });
    return started;
  };
  const idle = ['-e', 'setInterval(() => {}, 1000)'];
  const look = (of: ProcessGroup, port: number, limitMs: number) =>
    probe({
      ...{ group: of, port, limitMs, hosts: ['127.0.0.1'], uid: undefined },
      signal: new AbortController().signal,
    });
  const stranger = async (host = '127.0.0.1') => {
    const port = await freePort();
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    opened.push(server);
    return port;
  };

  it('takes nobody else’s answer for its own', async () => {
    const port = await stranger();
    expect(await look(await group(idle, 'probe-test-1'), port, 60_000)).toEqual({ outcome: 'lost' });
  });

  it('takes it neither when it ends just then', async () => {
    const port = await stranger();
    const started = await group(idle, 'probe-test-2');
    const ending: ProcessGroup = {
      ...started,
      async members() {
        await started.stop(0);
        return await started.members();
      },
    };
    expect(await look(ending, port, 60_000)).toEqual({ outcome: 'lost' });
  });

  it('is told when its port is lost at an address that nobody asks', async () => {
    const port = await stranger('127.0.0.2');
    expect(await look(await group(idle, 'probe-test-3'), port, 1000)).toEqual({ outcome: 'lost' });
  });

  it('is given up in time when it takes no connection', async () => {
    const port = await freePort();
    const deaf = `require('node:net').createServer().listen(${port}, '127.0.0.1', 1, () => {
      console.log('deaf');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    })`;
    const started = await group(['-e', deaf], 'probe-test-4');
    await new Promise<void>((resolve) => started.watch(/deaf/, () => resolve()));
    // More than its queue holds.
    const waiting = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    opened.push({ close: () => waiting.forEach((socket) => void socket.destroy()) });
    const given = await Promise.race([look(started, port, 1000), pause(60_000)]);
    expect(given).toEqual({ outcome: 'silent', elsewhere: [] });
  });
});
