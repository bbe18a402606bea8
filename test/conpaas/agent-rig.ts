import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AgentError } from '../../src/conpaas/agent/agent-error.js';
import { type AgentClient, createAgentClient } from '../../src/conpaas/agent/client.js';
import type { AgentStatus, DesiredApplication, ProxyTask } from '../../src/conpaas/agent/protocol.js';
import { until } from '../../src/conpaas/agent/wait.js';
import { type Authority, type Credential, createAuthority, openAuthority } from '../../src/conpaas/certificates.js';
import type { Cloud, CloudInstance } from '../../src/conpaas/cloud/cloud.js';
import { localCloud, stopAll } from '../../src/conpaas/cloud/local.js';
import type { ServiceType } from '../../src/domain/conpaas.js';
import { type PackedMember, zip } from '../archives/pack.js';

/** A data directory with a cloud and an authority: agents are real processes, and all are ended by `close`. */
export interface Rig {
  data: string;
  cloud: Cloud;
  authority: Authority;
  manager: Credential;
  /** A new agent of service 7 of user 3, and its client. */
  agent(more?: { type?: ServiceType; address?: string | null; uid?: number }): Promise<TestAgent>;
  clientOf(instance: CloudInstance): AgentClient;
  close(): Promise<void>;
}

export interface TestAgent {
  agentId: string;
  instance: CloudInstance;
  client: AgentClient;
  folder: string;
}

export const UID = 3;
export const SID = 7;
export const ISOLATED = process.getuid?.() === 0;

export async function openRig(
  options: { uids?: { first: number; last: number } | null; claimSeconds?: number } = {},
): Promise<Rig> {
  const data = await mkdtemp(join(tmpdir(), 'coaps-agents-'));
  const authority = await openAuthority(await createAuthority(new Date()), () => new Date());
  const manager = await authority.issue({ role: 'manager', uid: UID, serviceLocator: SID, commonName: 'manager' });
  const uids = options.uids === undefined ? (ISOLATED ? { first: 200_000, last: 265_535 } : null) : options.uids;
  const cloud = localCloud({
    data,
    ...(uids && { uids }),
    ...(options.claimSeconds !== undefined && { claimSeconds: options.claimSeconds }),
  });
  const clients: AgentClient[] = [];
  let number = 0;
  const clientOf = ({ address, uid }: CloudInstance) => {
    if (!address) throw new Error('The agent has no address.');
    const client = createAgentClient({ address, credential: manager, authority: authority.certificate, uid, sid: SID });
    clients.push(client);
    return client;
  };
  return {
    data,
    cloud,
    authority,
    manager,
    clientOf,
    agent: async ({ type = 'nodejs', address = null, uid = UID } = {}) => {
      number += 1;
      const agentId = `iaas${number}`;
      const credential = await authority.issue({ role: 'agent', uid, serviceLocator: SID, commonName: agentId });
      const instance = await cloud.newInstance({
        agentId,
        uid,
        sid: SID,
        type,
        address,
        credential,
        authority: authority.certificate,
      });
      return { agentId, instance, client: clientOf(instance), folder: join(data, 'conpaas', 'agents', agentId) };
    },
    close: async () => {
      for (const client of clients) client.close();
      await stopAll(data);
      for (const { agentId } of await cloud.list()) await cloud.kill(agentId);
      await rm(data, { recursive: true, force: true });
    },
  };
}

export async function sendFiles(
  client: AgentClient,
  codeVersionId: string,
  files: Record<string, string>,
): Promise<void> {
  const members = Object.entries(files).map(([name, content]): PackedMember => ({ name, content }));
  const bytes = zip(members);
  await client.sendCode(codeVersionId, () => Readable.from([bytes]));
}

export function desired(
  codeVersionId: string,
  more: Partial<DesiredApplication['settings']> & { startSeconds?: number } = {},
): DesiredApplication {
  const { startSeconds, ...settings } = more;
  return {
    codeVersionId,
    running: true,
    settings: { variables: {}, php: {}, ...settings },
    ...(startSeconds !== undefined && { startSeconds }),
  };
}

/** A server in one file that answers `text`. */
export function nodeApp(text: string, more = ''): Record<string, string> {
  return {
    'package.json': JSON.stringify({ name: 'app', version: '1.0.0', scripts: { start: 'node server.js' } }),
    'server.js': `
      const http = require('node:http');
      ${more}
      http.createServer((request, response) => {
        if (typeof answer === 'function') return answer(request, response);
        response.end(${JSON.stringify(text)});
      }).listen(process.env.PORT, process.env.HOST);
    `,
  };
}

/** A new agent whose application runs. */
export async function runApplication(
  rig: Rig,
  files: Record<string, string>,
  more: Parameters<typeof desired>[1] = {},
): Promise<TestAgent & { pid: number }> {
  const agent = await rig.agent();
  await sendFiles(agent.client, 'code-a', files);
  const { application } = await agent.client.apply(desired('code-a', more));
  return { ...agent, pid: application.pid ?? 0 };
}

/** Lets the agent's own proxy serve its application, and gives the URL. */
export async function expose(client: AgentClient, host = '127.0.0.1'): Promise<string> {
  return await proxy(client, { own: true, backends: [] }, host);
}

/** Lets the agent's proxy listen on a port that nobody has, and gives the URL. */
export async function proxy(
  client: AgentClient,
  serves: Omit<ProxyTask, 'listen'>,
  host = '127.0.0.1',
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const listen = { host, port: randomInt(10_000, 32_000) };
    try {
      await client.proxy({ listen, ...serves });
      return `http://${host}:${listen.port}`;
    } catch (error) {
      // Other tests and whole platforms use ports too.
      if (attempt === 20 || !(error instanceof AgentError) || !error.message.includes('EADDRINUSE')) throw error;
    }
  }
}

export async function textOf(url: string, init?: RequestInit): Promise<string> {
  return await (await fetch(url, init)).text();
}

export async function eventually(
  client: AgentClient,
  isSo: (status: AgentStatus) => boolean,
  ms = 20_000,
): Promise<AgentStatus> {
  let last: AgentStatus | undefined;
  await until(async () => {
    last = await client.status();
    return isSo(last);
  }, ms);
  if (!last || !isSo(last)) throw new Error(`It did not come about: ${JSON.stringify(last)}`);
  return last;
}
