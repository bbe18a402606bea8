import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { startGroup } from '../../src/conpaas/agent/group.js';
import { openOutput } from '../../src/conpaas/agent/output.js';
import { freePort } from '../../src/conpaas/agent/ports.js';
import { markedProcesses } from '../../src/conpaas/agent/processes.js';
import { agentFiles, readSpec } from '../../src/conpaas/agent/spec.js';
import { until } from '../../src/conpaas/agent/wait.js';
import {
  desired,
  eventually,
  expose,
  nodeApp,
  openRig,
  type Rig,
  runApplication,
  sendFiles,
  type TestAgent,
  textOf,
} from './agent-rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const running = (files: Record<string, string>, more: Parameters<typeof desired>[1] = {}) =>
  runApplication(rig, files, more);

async function leftOf({ folder }: TestAgent): Promise<number[]> {
  const spec = await readSpec(folder);
  return await markedProcesses(`${spec?.mark}.run`, spec?.owner);
}

describe('output', () => {
  it('of a hundred megabytes costs little disk, and its end is there', async () => {
    const agent = await running(
      nodeApp(
        'ok',
        'const line = "x".repeat(99) + "\\n"; for (let i = 0; i < 1e6; i += 10000) process.stdout.write(line.repeat(10000)); console.log("the end");',
      ),
      { startSeconds: 60 },
    );
    await eventually(agent.client, ({ application }) => application.phase === 'running');
    const folder = agentFiles(agent.folder).output;
    // Files are renamed and removed meanwhile.
    const sizeOf = (name: string) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      );
    const sizes = await Promise.all((await readdir(folder)).map(sizeOf));
    expect(Math.max(...sizes)).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(25 * 1024 * 1024);
    const isThere = async () => (await textOfLog(agent, 3)).includes('the end');
    expect(await until(isThere, 10_000)).toBe(true);
  });

  it('keeps whole lines over its rotation, and follows, however it comes in', async () => {
    let number = 0;
    const line = fc.string({ minLength: 0, maxLength: 300, size: 'max' }).map((text) => text.replace(/[\r\n]/g, ' '));
    const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 120 }), cuts, async (lines, sizes) => {
        number += 1;
        const folder = join(rig.data, `output-${number}`);
        const output = await openOutput(folder, { fileBytes: 1000, files: 200 });
        const stream = output.read(0, true);
        const followed = text(stream);
        const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''));
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          output.write(bytes.subarray(at, at + size));
          at += size;
        }
        expect(output.tail(1000)).toEqual(lines);
        expect(output.tail(2)).toEqual(lines.slice(-2));
        for (const name of await readdir(folder)) {
          const content = await readFile(join(folder, name), 'utf8');
          expect(content === '' || content.endsWith('\n')).toBe(true);
        }
        output.close();
        expect(await followed).toBe(bytes.toString());
      }),
      { numRuns: 30 },
    );
  });

  it('is followed over the wire until the reader leaves', async () => {
    const agent = await running(nodeApp('ok', 'const answer = (q, r) => { console.log("asked " + q.url); r.end(); };'));
    const url = await expose(agent.client);
    const controller = new AbortController();
    const stream = await agent.client.logs({ lines: 100, follow: true, signal: controller.signal });
    let seen = '';
    stream.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    stream.on('error', () => {});
    await fetch(`${url}/later`);
    expect(await until(() => seen.includes('asked /later'), 10_000)).toBe(true);
    controller.abort();
  });
});

async function textOfLog({ client }: TestAgent, lines: number): Promise<string> {
  let text = '';
  for await (const chunk of await client.logs({ lines, follow: false })) text += String(chunk);
  return text;
}

describe('stopping', () => {
  it('lets an application finish, and kills one that does not', async () => {
    const polite = await running(
      nodeApp(
        'ok',
        'process.on("SIGTERM", () => { console.log("goodbye"); setTimeout(() => process.exit(0), 300); });',
      ),
    );
    await polite.client.apply({ ...desired('code-a'), running: false });
    expect(await textOfLog(polite, 5)).toContain('goodbye');
    const stubborn = await running(nodeApp('ok', 'process.on("SIGTERM", () => console.log("never"));'));
    await stubborn.client.apply({ ...desired('code-a'), running: false });
    expect(await leftOf(stubborn)).toEqual([]);
    expect((await stubborn.client.status()).application.phase).toBe('stopped');
  });

  it('leaves no child behind, also of those that went away', async () => {
    const agent = await running({
      'package.json': '{"main":"m.js"}',
      'm.js': `
        const { spawn } = require('node:child_process');
        spawn('setsid', ['sleep', '4711'], { detached: true, stdio: 'ignore' }).unref();
        spawn('sh', ['-c', '(sleep 4712 &) ; (setsid sleep 4713 &)'], { detached: true, stdio: 'ignore' }).unref();
        require('node:http').createServer((q, r) => r.end('ok')).listen(process.env.PORT, process.env.HOST);`,
    });
    const sleepers = () =>
      execFileSync('sh', ['-c', 'ps -eo args | grep -c "^sleep 471[123]" || true']).toString().trim();
    expect(await until(() => sleepers() === '3', 10_000)).toBe(true);
    await agent.client.apply(null);
    expect(await leftOf(agent)).toEqual([]);
    expect(sleepers()).toBe('0');
  });
});

describe('starting', () => {
  it('says on which port an application listens instead of its own', async () => {
    const port = await freePort();
    const { client } = await rig.agent();
    await sendFiles(client, 'code-a', {
      'package.json': '{"main":"m.js"}',
      'm.js': `require('node:http').createServer((q, r) => r.end('ok')).listen(${port});`,
    });
    await expect(client.apply(desired('code-a', { startSeconds: 3 }))).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`listens on port ${port} instead.*PORT`)),
    });
  });

  it.each([
    ['0.0.0.0', 'process.env.PORT, "0.0.0.0"'],
    ['::', 'process.env.PORT'],
    ['::1', 'process.env.PORT, "::1"'],
    ['localhost', 'process.env.PORT, "localhost"'],
  ])('accepts an application that listens on %s', async (_where, place) => {
    const agent = await running({
      'package.json': '{"main":"m.js"}',
      'm.js': `require('node:http').createServer((q, r) => r.end('ok')).listen(${place});`,
    });
    expect(await textOf(await expose(agent.client))).toBe('ok');
  });

  it('gives way to a later request', async () => {
    const { client } = await rig.agent();
    await sendFiles(client, 'code-mute', { 'package.json': '{"main":"m.js"}', 'm.js': 'setInterval(() => {}, 1000);' });
    await sendFiles(client, 'code-good', nodeApp('good'));
    const first = client.apply(desired('code-mute')).catch((error: unknown) => error);
    await eventually(client, ({ application }) => application.phase === 'starting');
    await client.apply(desired('code-good'));
    expect(await first).toMatchObject({ kind: 'superseded' });
    expect(await textOf(await expose(client))).toBe('good');
  });
});

it('an application that needs more than its memory is ended, and people learn why', async () => {
  const agent = await running(
    nodeApp(
      'ok',
      'const held = []; const answer = (q, r) => { r.end("ok"); if (q.url === "/eat") setInterval(() => held.push(Buffer.alloc(8 << 20, 1)), 5); };',
    ),
    { memory: 128, variables: { NODE_OPTIONS: '--max-old-space-size=100000' } },
  );
  await textOf(`${await expose(agent.client)}/eat`);
  const status = await eventually(agent.client, ({ application }) => application.restarts >= 1, 30_000);
  expect(status.application.reason).toMatch(/memory limit of 128 MiB/);
});

it('is ended by the agent itself where the kernel does not limit', async () => {
  const output = await openOutput(join(rig.data, 'memory-test'), { fileBytes: 10_000, files: 2 });
  const eat = 'const held = []; setInterval(() => held.push(Buffer.alloc(8 << 20, 1)), 5);';
  const group = await startGroup(
    {
      command: process.execPath,
      args: ['-e', eat],
      cwd: '/',
      env: {},
      owner: null,
      mark: 'memory-test-1',
      memory: 200,
    },
    output,
    async () => undefined,
  );
  expect(await group.ended).toBe('its memory limit of 200 MiB');
  output.close();
});

it('a startup script runs before the first start, once', async () => {
  const agent = await rig.agent();
  const startupScript = 'echo "started by $(id -u)" && echo once >> "$HOME/counted"';
  await sendFiles(
    agent.client,
    'code-a',
    nodeApp('', 'const answer = (q, r) => r.end(require("fs").readFileSync(process.env.HOME + "/counted"));'),
  );
  await agent.client.apply(desired('code-a', { startupScript }));
  await agent.client.apply({ ...desired('code-a', { startupScript }), running: false });
  await agent.client.apply(desired('code-a', { startupScript }));
  expect(await textOf(await expose(agent.client))).toBe('once\n');
  await expect(agent.client.apply(desired('code-a', { startupScript: 'echo broken; exit 3' }))).rejects.toMatchObject({
    kind: 'failed',
    lastLines: expect.arrayContaining(['broken']),
  });
});

it('one that keeps dying is tried again after delays that grow', async () => {
  const agent = await running(
    nodeApp('ok', 'const answer = (q, r) => q.url === "/die" ? process.exit(7) : r.end("ok");'),
  );
  const url = await expose(agent.client);
  for (let deaths = 1; deaths <= 3; deaths += 1) {
    await fetch(`${url}/die`);
    const { application } = await eventually(
      agent.client,
      ({ application: now }) => now.phase === 'running' && now.restarts === deaths,
    );
    expect(application.reason).toMatch(/exit code 7/);
  }
  const waits = [...(await textOfLog(agent, 100)).matchAll(/waiting ([\d.]+) s/g)].map(([, seconds]) => seconds);
  expect(waits).toEqual(['0.5', '1', '2']);
});
