import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { zip } from '../archives/pack.js';
import { withStockedKeys } from '../support/built.js';
import { type ConpaasClient, createConpaasClient, type ManagerClient, type Row } from './conpaas-client.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SLOW_START = 250;

interface Running {
  client: ConpaasClient;
  kill(): Promise<void>;
}

let data: string;
let port = 0;
let running: Running;
let owner: ConpaasClient;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'coaps-crash-'));
  running = await start();
  const form = { username: 'ann', email: 'ann@x.org', password: 'pw', credit: '50' };
  await running.client.json('new_user', { form });
  owner = await running.client.withCertificates('ann', 'pw');
}, 60_000);

afterAll(async () => {
  await running?.kill();
  await stopAll(data);
  await rm(data, { recursive: true, force: true });
}, 60_000);

async function start(): Promise<Running> {
  const child: ChildProcess = spawn(
    process.execPath,
    [...withStockedKeys(), join(HERE, 'system-process.mjs'), data, String(port)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (!child.stdout) throw new Error('no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const options = JSON.parse(line) as { director: string; managerPort: number; authority: string };
  port = Number(new URL(options.director).port);
  return {
    client: createConpaasClient(options),
    async kill() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function crash(): Promise<void> {
  await running.kill();
  running = await start();
}

/** Answers by itself, as a person waits for an application: every request until then counts for nothing. */
async function answers(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

async function statusOf(sid: number) {
  const all = (await owner.json('service_status')) as { sid: number; url: string; nodes: { id: string }[] }[];
  const found = all.find((one) => one.sid === sid);
  if (!found) throw new Error(`no service ${sid}`);
  return found;
}

/** Nothing lives but what the store knows. */
async function agents(): Promise<string[]> {
  return (await readdir(join(data, 'conpaas', 'agents')).catch(() => [])).sort();
}

/** Enough work that a kill hits the middle of it. */
function application(word: string): Buffer {
  const server = `setTimeout(() => require('node:http')
    .createServer((request, response) => response.end(${JSON.stringify(word)}))
    .listen(process.env.PORT, process.env.HOST), ${SLOW_START});`;
  return zip([
    { name: 'package.json', content: JSON.stringify({ name: word, version: '1.0.0', main: 'server.js' }) },
    { name: 'server.js', content: server },
  ]);
}

async function uploaded(manager: ManagerClient, word: string): Promise<string> {
  const code = { name: `${word}.zip`, bytes: application(word) };
  const { result } = await manager.upload('upload_code_version', { code });
  return (result as { codeVersionId: string }).codeVersionId;
}

async function made(word: string): Promise<{ row: Row; manager: ManagerClient }> {
  const row = await owner.create('nodejs');
  const manager = owner.manager(row.manager);
  await manager.post('enable_code', { codeVersionId: await uploaded(manager, word) });
  return { row, manager };
}

async function gone({ sid }: Row): Promise<void> {
  await owner.json(`stop/${sid}`);
  await eventually(
    async () => !((await owner.json('list')) as Row[]).some((row) => row.sid === sid),
    'the service ends',
  );
}

async function eventually(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 300) throw new Error(`Waited in vain: ${what}`);
    await wait(100);
  }
}

const MOMENTS = [0, 400];

describe.each(MOMENTS)('killed %i ms after the request', (moment) => {
  afterEach(async () => {
    for (const row of (await owner.json('list')) as Row[]) await gone(row);
    expect(await agents()).toEqual([]);
  }, 60_000);

  test('a start comes to its end', async () => {
    const { row, manager } = await made('one');
    await manager.post('startup', { cloud: 'default' });
    await wait(moment);
    await crash();
    expect(await manager.until('RUNNING', 'ERROR', 'STOPPED')).toBe('RUNNING');
    const { url, nodes } = await statusOf(row.sid);
    expect(await answers(url)).toBe('one');
    expect(await agents()).toEqual(nodes.map(({ id }) => id));
  }, 60_000);

  test('a change and a shutdown come to their ends, and the application serves all the while', async () => {
    const { row, manager } = await made('one');
    await manager.post('startup', { cloud: 'default' });
    await manager.until('RUNNING');
    const { url } = await statusOf(row.sid);
    const codeVersionId = await uploaded(manager, 'two');
    await manager.post('enable_code', { codeVersionId });
    await wait(moment);
    await running.kill();
    expect(['one', 'two']).toContain(await answers(url));
    running = await start();
    expect(['one', 'two']).toContain(await answers(url));
    expect(await manager.until('RUNNING', 'ERROR', 'STOPPED')).toBe('RUNNING');
    expect(await answers(url)).toBe('two');

    await manager.post('add_nodes', { backend: 2, cloud: 'default' });
    await wait(moment);
    await crash();
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    const { nodes } = await statusOf(row.sid);
    expect(nodes).toHaveLength(3);
    expect(await agents()).toEqual(nodes.map(({ id }) => id).sort());
    expect(await answers(url)).toBe('two');

    await manager.post('shutdown');
    await wait(moment);
    await crash();
    expect(await manager.until('STOPPED', 'ERROR')).toBe('STOPPED');
    expect(await agents()).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  }, 120_000);

  test('an end comes to its end', async () => {
    const { row, manager } = await made('one');
    await manager.post('startup', { cloud: 'default' });
    await manager.until('RUNNING');
    expect(await owner.json(`stop/${row.sid}`)).toBe(true);
    await wait(moment);
    await crash();
    await eventually(async () => ((await owner.json('list')) as Row[]).length === 0, 'the service ends');
    expect(await agents()).toEqual([]);
    await eventually(async () => (await readdir(join(data, 'conpaas', 'services'))).length === 0, 'files are removed');
  }, 60_000);
});

test('an agent and an application that are killed come back by themselves', async () => {
  const { row, manager } = await made('one');
  await manager.post('startup', { cloud: 'default' });
  await manager.until('RUNNING');
  const { url, nodes } = await statusOf(row.sid);
  const endpoint = join(data, 'conpaas', 'agents', nodes[0]?.id ?? '', 'endpoint.json');
  const { pid } = JSON.parse(await readFile(endpoint, 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await eventually(async () => {
    const text = await answers(url).catch(() => undefined);
    const now = JSON.parse(await readFile(endpoint, 'utf8').catch(() => '{}')) as { pid?: number };
    return text === 'one' && now.pid !== pid;
  }, 'the agent comes back');
  expect((await statusOf(row.sid)).nodes).toHaveLength(1);
  await gone(row);
  expect(await agents()).toEqual([]);
}, 60_000);

test('what rests in INIT, STOPPED and ERROR is as it was when the gateway is back, and goes on from there', async () => {
  const fresh = await made('one');
  const failed = await made('one');
  const code = { name: 'bad.zip', bytes: zip([{ name: 'package.json', content: '{"main":"none.js"}' }]) };
  const { result } = await failed.manager.upload('upload_code_version', { code });
  await failed.manager.post('enable_code', result as { codeVersionId: string });
  await failed.manager.post('startup');
  expect(await failed.manager.until('RUNNING', 'ERROR')).toBe('ERROR');
  const stopped = await made('one');
  await stopped.manager.post('startup');
  await stopped.manager.until('RUNNING');
  await stopped.manager.post('shutdown');
  await stopped.manager.until('STOPPED');
  const all = [fresh, failed, stopped];
  const seen = () =>
    Promise.all(
      all.map(async ({ manager }) => [
        (await manager.get('get_service_history')).result,
        (await manager.get('list_code_versions')).result,
      ]),
    );
  const before = await seen();
  await crash();
  expect(await seen()).toEqual(before);
  expect(await agents()).toEqual([]);
  await failed.manager.post('reset');
  await failed.manager.until('STOPPED');
  for (const { manager } of [fresh, stopped]) await manager.post('startup');
  for (const { row, manager } of [fresh, stopped]) {
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    expect(await answers((await statusOf(row.sid)).url)).toBe('one');
  }
  for (const { row } of all) await gone(row);
  expect(await agents()).toEqual([]);
}, 120_000);
