import { join } from 'node:path';
import type { ServiceType } from '../../domain/conpaas.js';
import { readJson, writeJson } from './atomic-file.js';
import { identityOf, isAlive, type Owner, type ProcessIdentity } from './processes.js';
import type { Address, DesiredApplication, ProxyTask, ScriptName, ScriptTask } from './protocol.js';
import { pause } from './wait.js';

/** What an agent is told at its birth: `spec.json` in its folder. */
export interface AgentSpec {
  agentId: string;
  uid: number;
  sid: number;
  type: ServiceType;
  /** Where it listens for its manager, and its proxy by default. */
  host: string;
  /** Random; in the environment of the agent (`mark.agent`) and of all its processes (`mark.run…`). */
  mark: string;
  /** As whom uploaded code runs; null: as the agent's own user. */
  owner: Owner | null;
  /** Folder of the uploaded code and what it writes: the owner's, mode 0700. */
  room: string;
  /** Seconds within which its manager must have claimed it. */
  claimSeconds: number;
}

/** Written by the agent before it listens. */
export interface AgentEndpoint {
  /** Of the process that wrote it: one that an earlier process left counts for nothing. */
  pid: number;
  address: Address;
  protocol: number;
  oldestProtocol: number;
}

/** What the agent keeps, to be the same after it was started again. */
export interface AgentMemory {
  desired: DesiredApplication | null;
  proxy: ProxyTask | null;
  backendPort: number;
  /** Of a generic service's node. */
  scripts?: ScriptMemory | null;
}

export interface ScriptMemory {
  task: ScriptTask;
  /** Return codes of what ended; `running` when the agent ended before. */
  outcomes: Partial<Record<ScriptName, number | 'running'>>;
}

/** Files of an agent's folder (mode 0700, files 0600). */
export function agentFiles(folder: string) {
  return {
    spec: join(folder, 'spec.json'),
    certificate: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
    authority: join(folder, 'ca_cert.pem'),
    /** Identity of the process that holds the folder, from its first moment to its end. */
    holder: join(folder, 'holder.json'),
    endpoint: join(folder, 'endpoint.json'),
    memory: join(folder, 'memory.json'),
    log: join(folder, 'agent.log'),
    /** Output of the application. */
    output: join(folder, 'output'),
    incoming: join(folder, 'incoming'),
  };
}

export function readSpec(folder: string): Promise<AgentSpec | undefined> {
  return readJson<AgentSpec>(agentFiles(folder).spec);
}

/** The process that is the agent now; undefined: it is dead. */
export async function livingHolder(folder: string): Promise<ProcessIdentity | undefined> {
  const holder = await readJson<ProcessIdentity>(agentFiles(folder).holder);
  return holder && (await isAlive(holder)) ? holder : undefined;
}

/**
 * Makes this process the agent of the folder. False: another one is. Two that find a dead holder at once both write; the later one
 * stands, and the other sees it when it looks again.
 */
export async function holdFolder(folder: string): Promise<boolean> {
  const own = await identityOf(process.pid);
  if (!own) throw new Error('An agent needs a /proc file system.');
  const { holder } = agentFiles(folder);
  for (let round = 0; round < 2; round += 1) {
    const other = await livingHolder(folder);
    if (other && other.pid !== own.pid) return false;
    if (round === 0) await writeJson(holder, own);
    await pause(50);
  }
  return (await livingHolder(folder))?.pid === own.pid;
}

/** Where the living agent listens; undefined: it is dead, or not that far yet. */
export async function livingEndpoint(folder: string): Promise<AgentEndpoint | undefined> {
  const holder = await livingHolder(folder);
  const endpoint = await readJson<AgentEndpoint>(agentFiles(folder).endpoint);
  return holder && endpoint?.pid === holder.pid ? endpoint : undefined;
}
