import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { livingHolder } from '../../src/conpaas/agent/spec.js';
import type { ConpaasClient, ManagerClient, Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

/** Agents and applications die by SIGKILL while their manager brings them up, changes them and takes them down. */

let rig: SystemRig;
let ann: ConpaasClient;

beforeAll(async () => {
  rig = await openSystem({ interval: 300 });
  ann = await rig.user('ann');
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const agents = async () => (await readdir(join(rig.data, 'conpaas', 'agents')).catch(() => [])).sort();

async function made(): Promise<{ row: Row; manager: ManagerClient }> {
  const row = await ann.create('static');
  return { row, manager: ann.manager(row.manager) };
}

/** Kills the first victim that appears and is none of these. Which one it was. */
async function kill(kind: 'agent' | 'application', spared: readonly number[] = [], looks = 3000): Promise<number> {
  for (let tries = 0; tries < looks; tries += 1) {
    for (const agentId of await agents()) {
      const pid = kind === 'agent' ? await agentPid(agentId) : await applicationPid(agentId, spared);
      if (pid === undefined || spared.includes(pid)) continue;
      process.kill(pid, 'SIGKILL');
      return pid;
    }
    await wait(5);
  }
  throw new Error(`No ${kind} appeared.`);
}

/** Of a living agent: the pid in the file of a dead one may be a stranger's by now. */
async function agentPid(agentId: string): Promise<number | undefined> {
  return (await livingHolder(join(rig.data, 'conpaas', 'agents', agentId)))?.pid;
}

/** The static server of that agent, once it is one. */
async function applicationPid(agentId: string, spared: readonly number[]): Promise<number | undefined> {
  const ours = join(rig.data, 'conpaas', 'apps', agentId);
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || spared.includes(Number(name))) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (line.startsWith('node\0') && line.includes('static-server.js') && line.includes(ours)) return Number(name);
  }
  return undefined;
}

/** Command lines of applications that were started here: each names its folder. Agents have theirs as long as they live. */
async function processes(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(rig.data));
}

/** It rests, nobody lives but what the store knows, and it can be ended: then nothing of it remains. */
async function isInOrder(row: Row, manager: ManagerClient): Promise<string> {
  const state = await manager.until('RUNNING', 'STOPPED', 'ERROR');
  const nodes = (await rig.store.conpaas.nodes({ sid: row.sid })).map(({ nodeId }) => nodeId);
  expect(await agents()).toEqual(nodes.sort());
  if (state === 'RUNNING') await answers(row);
  else {
    expect([nodes, await processes()]).toEqual([[], []]);
    const { state_log: log } = (await manager.get('get_service_history')).result as { state_log: { reason: string }[] };
    expect(log.at(-1)?.reason).not.toBe('');
  }
  expect(await ann.json(`stop/${row.sid}`)).toBe(true);
  for (let tries = 0; ((await ann.json('list')) as Row[]).length > 0; tries += 1) {
    if (tries > 300) throw new Error('The service does not end.');
    await wait(100);
  }
  expect(await agents()).toEqual([]);
  expect(await processes()).toEqual([]);
  return state;
}

async function answers({ sid }: Row): Promise<void> {
  const all = (await ann.json('service_status')) as { sid: number; url: string }[];
  const url = all.find((one) => one.sid === sid)?.url ?? '';
  for (let tries = 0; ; tries += 1) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (tries > 300) throw new Error(`${url} answers ${status}`);
    await wait(100);
  }
}

describe.each(['agent', 'application'] as const)('%s killed', (victim) => {
  test('in PROLOGUE', async () => {
    const { row, manager } = await made();
    await manager.post('startup');
    await kill(victim);
    expect(['RUNNING', 'ERROR']).toContain(await isInOrder(row, manager));
  }, 90_000);

  test('in RUNNING, ADAPTING and EPILOGUE', async () => {
    const { row, manager } = await made();
    await manager.post('startup');
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    expect(await processes()).not.toEqual([]);
    const old = await kill(victim);
    await answers(row);
    await manager.post('add_nodes', { backend: 1 });
    const newer = await kill(victim, [old]);
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    await answers(row);
    await manager.post('shutdown');
    // They may be gone before they can be killed.
    await kill(victim, [old, newer], 20).catch(() => 0);
    expect(await manager.until('STOPPED', 'ERROR')).toBe('STOPPED');
    expect([await agents(), await processes()]).toEqual([[], []]);
    expect(await ann.json(`stop/${row.sid}`)).toBe(true);
  }, 120_000);
});
