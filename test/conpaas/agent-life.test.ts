import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf, processEntry } from '../../src/conpaas/agent/processes.js';
import { agentFiles } from '../../src/conpaas/agent/spec.js';
import { until } from '../../src/conpaas/agent/wait.js';
import { localCloud, stopAll } from '../../src/conpaas/cloud/local.js';
import {
  desired,
  eventually,
  expose,
  nodeApp,
  openRig,
  type Rig,
  runApplication,
  sendFiles,
  textOf,
} from './agent-rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const running = (files: Record<string, string>) => runApplication(rig, files);
const isGone = (pid: number) => until(() => !processEntry(pid), 20_000);

/** Folders of the process's memory group, where the kernel has given one to us. */
async function groupsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8');
  const paths = [...text.matchAll(/^\d+:([^:]*):(.*coaps-.*)$/gm)];
  return paths.map(([, names = '', path = '']) => join('/sys/fs/cgroup', names, path));
}

describe('an agent', () => {
  it('that is killed comes back on the same address with its application, once', async () => {
    const agent = await running(nodeApp('still me'));
    const url = await expose(agent.client);
    const before = await agent.client.status();
    process.kill(before.pid, 'SIGKILL');
    await isGone(before.pid);
    const instance = await rig.cloud.revive(agent.agentId);
    const client = rig.clientOf(instance);
    const after = await eventually(client, ({ application }) => application.phase === 'running');
    expect(after.backend).toEqual(before.backend);
    expect(await textOf(url)).toBe('still me');
    expect(processEntry(agent.pid)).toBeUndefined();
    expect((await rig.cloud.list()).find(({ agentId }) => agentId === agent.agentId)).toMatchObject({ alive: true });
  });

  it('that is killed with its gateway leaves nothing once it is removed', async () => {
    const agent = await runApplication(rig, nodeApp('ok'), { memory: 128 });
    const { pid } = await agent.client.status();
    const groups = () => groupsOf(agent.pid);
    const before = await groups();
    process.kill(pid, 'SIGKILL');
    await isGone(pid);
    expect(processEntry(agent.pid)).toBeDefined();
    await localCloud({ data: rig.data }).kill(agent.agentId);
    expect(await isGone(agent.pid)).toBe(true);
    for (const folder of before) expect(existsSync(folder)).toBe(false);
  });

  it('is found by the next gateway, with its application running on', async () => {
    const agent = await running(nodeApp('adopted'));
    const next = localCloud({ data: rig.data });
    const instance = (await next.list()).find(({ agentId }) => agentId === agent.agentId);
    expect(instance).toMatchObject({ alive: true, uid: 3, sid: 7, type: 'nodejs', protocol: 1 });
    if (!instance) throw new Error('It was not found.');
    expect((await rig.clientOf(instance).status()).application.pid).toBe(agent.pid);
  });

  it('ends itself and its application when its folder is gone', async () => {
    const agent = await running(nodeApp('ok'));
    const { pid } = await agent.client.status();
    await rm(agent.folder, { recursive: true });
    expect(await isGone(pid)).toBe(true);
    expect(await isGone(agent.pid)).toBe(true);
  });

  it('ends itself when nobody claims it', async () => {
    const other = await openRig({ claimSeconds: 1 });
    try {
      const { folder } = await other.agent();
      const holder = JSON.parse(await readFile(agentFiles(folder).holder, 'utf8')) as { pid: number };
      expect(await isGone(holder.pid)).toBe(true);
    } finally {
      await other.close();
    }
  });

  it('never runs twice for one folder', async () => {
    const agent = await running(nodeApp('ok'));
    const second = spawn(process.execPath, ['dist/src/conpaas/agent/main.js', agent.folder], { stdio: 'ignore' });
    const code = await new Promise((resolve) => second.once('exit', resolve));
    expect(code).toBe(3);
    expect(await textOf(await expose(agent.client))).toBe('ok');
  });

  it('whose pid a stranger has is dead, and the stranger is left alone', async () => {
    const agent = await rig.agent();
    const stranger = spawn('sleep', ['600']);
    const identity = await identityOf(stranger.pid ?? 0);
    await rig.cloud.kill(agent.agentId);
    const again = await rig.agent();
    const { pid } = await again.client.status();
    process.kill(pid, 'SIGKILL');
    await isGone(pid);
    await writeFile(agentFiles(again.folder).holder, JSON.stringify({ ...identity, startTime: '1' }));
    expect((await rig.cloud.list()).find(({ agentId }) => agentId === again.agentId)).toMatchObject({ alive: false });
    await rig.cloud.kill(again.agentId);
    expect(processEntry(stranger.pid ?? 0)).toBeDefined();
    stranger.kill();
  });
});

it('all agents of a data directory are ended without a gateway, and start again', async () => {
  const own = await openRig();
  try {
    const { client, agentId } = await own.agent();
    await sendFiles(client, 'code-a', nodeApp('back again'));
    await client.apply(desired('code-a'));
    const url = await expose(client);
    await own.agent();
    expect(await stopAll(own.data)).toBe(2);
    expect((await own.cloud.list()).map(({ alive }) => alive)).toEqual([false, false]);
    expect(await stopAll(own.data)).toBe(0);
    const revived = own.clientOf(await own.cloud.revive(agentId));
    await eventually(revived, ({ application }) => application.phase === 'running');
    expect(await textOf(url)).toBe('back again');
  } finally {
    await own.close();
  }
});
