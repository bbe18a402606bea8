import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { openStore } from '../../src/store/open.js';
import { eventually } from '../support/conditions.js';
import { startGateway } from '../support/gateway.js';

const OLD = '2020-01-01T00:00:00.000Z';
const DAY = 24 * 3600 * 1000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();
const EVENT = { user: 'ada', action: 'createApplication', target: '/app', status: 200, requestId: 'r' };
const TASK = { action: 'createEnvironment', input: {}, locks: [], tenant: 'acme', createdBy: 'ada' };

/** A store in which a gateway has worked for years: 450 ended tasks and events, and one of each that has to stay. */
async function fill(data: string): Promise<void> {
  mkdirSync(data);
  const file = join(data, 'coaps.db');
  const store = await openStore({ url: `sqlite:${file}` });
  await store.transaction(async ({ operations, audit }) => {
    for (let round = 0; round < 450; round++) {
      await audit.add({ ...EVENT, at: round < 449 ? OLD : ago(364) });
      await operations.enqueue(TASK);
      const claimed = await operations.claim('another gateway', 1e9);
      if (round !== 1) {
        await operations.finish({ taskId: claimed?.taskId ?? 0, owner: 'another gateway', attempt: 1 }, 'SUCCEEDED');
      }
    }
  });
  await store.close();
  const rows = new Database(file);
  rows
    .prepare('update operations set created_at = ?, ended_at = case when ended_at is null then null else ? end')
    .run(OLD, OLD);
  rows.prepare('update operations set ended_at = ? where task_id = 450').run(ago(89));
  rows.close();
}

test('what ended long ago is deleted, and what has not ended or is younger stays; the log tells of requests and their tasks', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'retention-'));
  const data = join(directory, 'data');
  await fill(data);
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const gateway = await startGateway({ data, hooks: { log } });
  try {
    const numbers = async (path: string) =>
      [...(await gateway.request(path)).text.matchAll(/<id>(\d+)<\/id>/g)].map(([, id]) => Number(id));
    await eventually(async () => expect(await numbers('/audit')).toEqual([450]));
    await eventually(async () => expect(await numbers('/task')).toEqual([450, 2]));
    expect((await gateway.request('/task/1')).status).toBe(404);
    expect((await gateway.request('/task/2')).text).toContain('status="RUNNING"');

    const made = await gateway.request('/environment', { method: 'POST', body: '<m><paas_environment name="E"/></m>' });
    const requestId = made.headers['x-request-id'];
    expect(made.status).toBe(200);
    expect(await numbers('/task')).toEqual([451, 450, 2]);
    await eventually(async () => expect(await numbers('/audit')).toEqual([451, 450]));
    const told = lines.filter((line) => line['requestId'] === requestId);
    expect(told).toMatchObject([
      { msg: 'a task succeeded', taskId: 451, action: 'createEnvironment', platform: 'MEM' },
      { msg: 'request', action: 'createEnvironment', user: 'admin', method: 'POST', status: 200 },
    ]);
  } finally {
    await gateway.close();
    rmSync(directory, { recursive: true });
  }
});
