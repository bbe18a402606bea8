import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../domain/errors.js';
import { writeJson } from '../agent/atomic-file.js';
import { removeMemoryGroups } from '../agent/memory-limit.js';
import { endMsFor, patienceFor } from '../agent/patience.js';
import { endMarked, killMarked, type Owner, signalProcess } from '../agent/processes.js';
import { AGENT_ID } from '../agent/protocol.js';
import { DATABASE_FOLDER, removeOwned } from '../agent/room.js';
import { type AgentSpec, agentFiles, livingEndpoint, livingHolder, readSpec } from '../agent/spec.js';
import { until } from '../agent/wait.js';
import type { Cloud, CloudInstance, InstanceRequest } from './cloud.js';
import { openRooms } from './rooms.js';
import { spawnAgent } from './spawn.js';

export interface LocalCloudOptions {
  /** The gateway's data directory; agents live in `conpaas/agents` of it. */
  data: string;
  /** Unix ids for uploaded code, one for each owner: first + owner. Undefined: applications run as the gateway's own user. */
  uids?: { first: number; last: number };
  /** Seconds within which a manager must claim a new agent. */
  claimSeconds?: number;
  log?: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const CLAIM_SECONDS = 60;
/** Its own patience ends before. */
const END_MORE_MS = 5_000;

export function localCloud(options: LocalCloudOptions): Cloud {
  const { data, uids, claimSeconds = CLAIM_SECONDS } = options;
  // Others will walk through the data directory to their rooms: what this process makes from now on is closed to them.
  if (uids) process.umask(process.umask() | 0o077);
  const agents = agentsFolder(data);
  const folderOf = (agentId: string) => {
    if (!AGENT_ID.test(agentId)) throw new Fault('InvalidValue', `"${agentId}" is no id of an agent.`);
    return join(agents, agentId);
  };
  // One agent is started, ended and looked at by one call at a time.
  const lines = new Map<string, Promise<unknown>>();
  const inLine = <T>(agentId: string, work: () => Promise<T>): Promise<T> => {
    const before = lines.get(agentId) ?? Promise.resolve();
    const mine = before.then(work, work);
    lines.set(agentId, mine);
    const forget = () => void (lines.get(agentId) === mine && lines.delete(agentId));
    mine.then(forget, forget);
    return mine;
  };

  const bringUp = async (agentId: string): Promise<CloudInstance> => {
    const folder = folderOf(agentId);
    const before = await describe(folder);
    if (!before) throw new Fault('NotFound', `There is no agent ${agentId}.`);
    if (before.alive && before.address) return before;
    const spec = await readSpec(folder);
    if (!before.alive && spec) {
      await endMarked(`${spec.mark}.run`, spec.owner, patienceFor(spec.type).orphanMs);
      await killMarked(spec.mark, spec.owner);
    }
    await spawnAgent(folder);
    options.log?.info({ agentId }, 'agent started');
    const after = await describe(folder);
    if (!after?.address) throw new Fault('ServiceUnavailable', `The agent ${agentId} went away again.`);
    return after;
  };

  return {
    name: 'default',
    newInstance: (request) =>
      inLine(request.agentId, async () => {
        const folder = folderOf(request.agentId);
        if (!(await readSpec(folder))) {
          const owner = ownerOf(request.owner ?? request.uid, uids);
          const rooms = await openRooms(data, owner !== null);
          await writeFolder(folder, request, { owner, room: join(rooms, request.agentId), claimSeconds });
        } else if (!(await livingHolder(folder))) {
          // Its own may have ended while it rested.
          await writeCredential(folder, request);
        }
        return await bringUp(request.agentId);
      }),
    revive: (agentId) => inLine(agentId, () => bringUp(agentId)),
    halt: (agentId) =>
      inLine(agentId, async () => {
        await endAgent(folderOf(agentId));
      }),
    kill: (agentId) =>
      inLine(agentId, async () => {
        const folder = folderOf(agentId);
        await endAgent(folder);
        const spec = await readSpec(folder);
        if (spec) await removeRoom(spec);
        await rm(folder, { recursive: true, force: true });
      }),
    list: async () => {
      const found = await Promise.all((await idsIn(agents)).map((agentId) => describe(folderOf(agentId))));
      return found.filter((instance) => instance !== undefined);
    },
  };
}

/** Ends every agent of a data directory with its application, without a gateway. Their folders stay. Returns how many there were. */
export async function stopAll(data: string): Promise<number> {
  const agents = agentsFolder(data);
  const ended = await Promise.all((await idsIn(agents)).map((agentId) => endAgent(join(agents, agentId))));
  return ended.filter(Boolean).length;
}

/** How many agents of a data directory live. */
export async function livingAgents(data: string): Promise<number> {
  const agents = agentsFolder(data);
  const found = await Promise.all((await idsIn(agents)).map((agentId) => livingHolder(join(agents, agentId))));
  return found.filter((holder) => holder !== undefined).length;
}

function agentsFolder(data: string): string {
  return join(data, 'conpaas', 'agents');
}

async function idsIn(agents: string): Promise<string[]> {
  return (await readdir(agents).catch(() => [])).filter((name) => AGENT_ID.test(name)).sort();
}

/** Goes round the range: numbers are never reused, and a range is long. */
function ownerOf(owner: number, uids: LocalCloudOptions['uids']): Owner | null {
  if (!uids) return null;
  const id = uids.first + (owner % (uids.last - uids.first + 1));
  return { uid: id, gid: id };
}

/** The spec comes last: a folder without it is a birth that was cut off. */
async function writeFolder(
  folder: string,
  { agentId, uid, sid, type, address, credential, authority }: InstanceRequest,
  more: Pick<AgentSpec, 'owner' | 'room' | 'claimSeconds'>,
): Promise<void> {
  const files = agentFiles(folder);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeCredential(folder, { credential, authority });
  const mark = randomBytes(12).toString('hex');
  const spec: AgentSpec = { agentId, uid, sid, type, host: address ?? '127.0.0.1', mark, ...more };
  await writeJson(files.spec, spec);
}

async function writeCredential(
  folder: string,
  { credential, authority }: Pick<InstanceRequest, 'credential' | 'authority'>,
): Promise<void> {
  const files = agentFiles(folder);
  await writeFile(files.key, credential.key, { mode: 0o600 });
  await writeFile(files.certificate, credential.certificate, { mode: 0o600 });
  await writeFile(files.authority, authority, { mode: 0o600 });
}

async function describe(folder: string): Promise<CloudInstance | undefined> {
  const spec = await readSpec(folder);
  if (!spec) return;
  const { agentId, uid, sid, type } = spec;
  const alive = (await livingHolder(folder)) !== undefined;
  const endpoint = await livingEndpoint(folder);
  return {
    agentId,
    uid,
    sid,
    type,
    alive,
    ...(endpoint && {
      address: endpoint.address,
      protocol: endpoint.protocol,
      oldestProtocol: endpoint.oldestProtocol,
    }),
  };
}

/** True: it was alive. In any case nothing that carries its mark runs afterwards. */
async function endAgent(folder: string): Promise<boolean> {
  const spec = await readSpec(folder);
  const holder = await livingHolder(folder);
  if (holder && spec) {
    await signalProcess(holder, 'SIGTERM');
    await until(async () => !(await livingHolder(folder)), endMsFor(spec.type) + END_MORE_MS);
    await signalProcess(holder, 'SIGKILL');
  }
  if (spec) {
    await endMarked(`${spec.mark}.run`, spec.owner, patienceFor(spec.type).orphanMs);
    await killMarked(spec.mark, spec.owner);
    await removeMemoryGroups(`coaps-${spec.mark}`);
  }
  return holder !== undefined;
}

/** What is the owner's with the owner's rights; then what is ours. */
async function removeRoom({ room, owner }: AgentSpec): Promise<void> {
  for (const part of ['home', 'tmp', DATABASE_FOLDER]) await removeOwned(join(room, part), owner);
  for (const part of ['code', 'work', 'volumes']) {
    const entries = await readdir(join(room, part), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) await removeOwned(join(room, part, entry.name), owner);
  }
  await rm(room, { recursive: true, force: true });
}
