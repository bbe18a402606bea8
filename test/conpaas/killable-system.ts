import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isAlive, type ProcessIdentity } from '../../src/conpaas/agent/processes.js';
import type { AgentSpec } from '../../src/conpaas/agent/spec.js';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { withStockedKeys } from '../support/built.js';
import { type ConpaasClient, createConpaasClient } from './conpaas-client.js';

const PROGRAM = fileURLToPath(new URL('system-process.mjs', import.meta.url));

/** A ConPaaS in a process of its own, with a data directory that outlives it. */
export interface KillableSystem {
  readonly data: string;
  /** A registered user with certificates. */
  user(name: string): Promise<ConpaasClient>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Again on the same data and port, when its managers serve. */
  start(): Promise<void>;
  /** Ids of the agents that have a folder. */
  agents(): Promise<string[]>;
  /** What an agent was told at its birth, and its process. */
  agent(agentId: string): Promise<{ spec: AgentSpec; pid: number }>;
  close(): Promise<void>;
}

export async function openKillableSystem(): Promise<KillableSystem> {
  const data = await mkdtemp(join(tmpdir(), 'coaps-killable-'));
  const folder = join(data, 'conpaas', 'agents');
  let port = 0;
  let child: ChildProcess | undefined;
  let stranger: ConpaasClient | undefined;
  const system: KillableSystem = {
    data,
    async start() {
      child = spawn(process.execPath, [...withStockedKeys(), PROGRAM, data, String(port)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (!child.stdout) throw new Error('no output');
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const options = JSON.parse(line) as { director: string; managerPort: number; authority: string };
      port = Number(new URL(options.director).port);
      stranger = createConpaasClient(options);
    },
    async user(name) {
      if (!stranger) throw new Error('It was not started.');
      const form = { username: name, email: `${name}@example.org`, password: `pw-${name}`, credit: '50' };
      await stranger.json('new_user', { form });
      return await stranger.withCertificates(name, `pw-${name}`);
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    agents: async () => (await readdir(folder).catch(() => [])).sort(),
    async agent(agentId) {
      const read = async (name: string) => JSON.parse(await readFile(join(folder, agentId, name), 'utf8')) as unknown;
      const holder = (await read('holder.json')) as ProcessIdentity;
      if (!(await isAlive(holder))) throw new Error(`The agent ${agentId} is dead.`);
      return { spec: (await read('spec.json')) as AgentSpec, pid: holder.pid };
    },
    async close() {
      await system.kill();
      await stopAll(data);
      await rm(data, { recursive: true, force: true });
    },
  };
  await system.start();
  return system;
}
