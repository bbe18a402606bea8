import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DEFAULT_ARCHIVE_LIMITS } from '../../archives/index.js';
import { AgentError } from './agent-error.js';
import { type Application, createApplication } from './application.js';
import { readJson, writeJson } from './atomic-file.js';
import { openCodeStore } from './code.js';
import { applicationEnvironment } from './environment.js';
import { type DatabaseProgram, mariadbProgram } from './mariadb/program.js';
import { removeMemoryGroups } from './memory-limit.js';
import { openOutput } from './output.js';
import { patienceFor } from './patience.js';
import { freePort } from './ports.js';
import { endMarked } from './processes.js';
import { codeProgram, type ProgramOptions } from './program.js';
import {
  type AgentStatus,
  type DesiredApplication,
  OLDEST_PROTOCOL,
  type OutputPart,
  PROTOCOL,
  type ProxyTask,
} from './protocol.js';
import { openProxies, type Proxies } from './proxy.js';
import { installPrograms, openRoom } from './room.js';
import { createScripts, type Scripts } from './scripts.js';
import { type AgentMemory, type AgentSpec, agentFiles } from './spec.js';

/** Everything that a manager may ask of an agent, without the wire. */
export interface RunningAgent {
  status(): Promise<AgentStatus>;
  receiveCode(codeVersionId: string, source: Readable): Promise<void>;
  deleteCode(codeVersionId: string): Promise<void>;
  apply(desired: DesiredApplication | null): Promise<void>;
  proxy(task: ProxyTask | null): Promise<void>;
  /** Of a generic service. */
  readonly scripts: Scripts;
  /** Of a mysql agent. */
  database?: Pick<DatabaseProgram, 'dump' | 'load'>;
  logs(lines: number, follow: boolean, part?: OutputPart): Readable;
  /** Application and proxies end; nothing that they started remains. */
  close(): Promise<void>;
}

const OUTPUT_LIMITS = { fileBytes: 5 * 1024 * 1024, files: 4 };
const FRONT_HOST = '127.0.0.1';

/** Opens an agent's folder: what an earlier process of it left running is killed, and what should run is started again. */
export async function openAgent(folder: string, spec: AgentSpec): Promise<RunningAgent> {
  const files = agentFiles(folder);
  await endMarked(`${spec.mark}.run`, spec.owner, patienceFor(spec.type).orphanMs);
  await removeMemoryGroups(`coaps-${spec.mark}`);
  const room = await openRoom(spec.room, spec.owner);
  await installPrograms(room);
  const code = await openCodeStore(room, files.incoming);
  const output = await openOutput(files.output, OUTPUT_LIMITS);
  const memory = (await readJson<AgentMemory>(files.memory)) ?? { desired: null, proxy: null, backendPort: 0 };
  const proxies = await openFront(memory.backendPort);
  const bornAt = new Date().toISOString();
  let writing = Promise.resolve();
  const remember = (changes: Partial<AgentMemory>) => {
    Object.assign(memory, changes);
    writing = writing.then(() => writeJson(files.memory, memory));
    return writing;
  };
  await remember({ backendPort: proxies.backend.port });

  const env = await applicationEnvironment(room, process.env);
  const newMark = () => `${spec.mark}.run${randomBytes(6).toString('hex')}`;
  const patience = patienceFor(spec.type);
  const { graceMs } = patience;
  const programOptions: ProgramOptions = { room, env, output, newMark, graceMs };
  const database = spec.type === 'mysql' ? mariadbProgram(programOptions) : undefined;
  const application = createApplication({
    program: database ?? codeProgram({ ...programOptions, type: spec.type, host: spec.host, code }),
    output,
    // The balancer speaks HTTP alone.
    route: database ? async () => {} : proxies.setOwn,
    remember: (desired) => remember({ desired }),
    patience,
  });
  const out = await openOutput(join(files.output, 'out'), OUTPUT_LIMITS);
  const err = await openOutput(join(files.output, 'err'), OUTPUT_LIMITS);
  const ending = new AbortController();
  const scripts = createScripts({
    agentId: spec.agentId,
    code,
    room,
    env,
    output,
    out,
    err,
    newMark,
    remember: (kept) => remember({ scripts: kept }),
    graceMs,
    signal: ending.signal,
  });
  await takeUp(memory, application, proxies, scripts);

  return {
    status: async () => ({
      agentId: spec.agentId,
      protocol: PROTOCOL,
      oldestProtocol: OLDEST_PROTOCOL,
      uid: spec.uid,
      sid: spec.sid,
      pid: process.pid,
      bornAt,
      code: await code.list(),
      application: await application.status(),
      desired: application.desired,
      proxy: memory.proxy && { ...memory.proxy, listening: proxies.task !== null },
      backend: proxies.backend,
      ...statusesIn(scripts),
    }),
    scripts,
    receiveCode: (id, source) => code.receive(id, source, DEFAULT_ARCHIVE_LIMITS),
    deleteCode: async (id) => {
      if (application.uses(id) || scripts.uses(id))
        throw new AgentError('rejected', `The code version ${id} is in use.`);
      await code.remove(id);
    },
    apply: application.apply,
    ...(database && { database }),
    proxy: async (task) => {
      await proxies.take(task);
      await remember({ proxy: task });
    },
    logs: (lines, follow, part) => (part ? { out, err }[part] : output).read(lines, follow),
    close: async () => {
      ending.abort();
      await Promise.all([application.close(), scripts.close(), proxies.close()]);
      await writing;
      for (const one of [output, out, err]) one.close();
    },
  };
}

/** The front's port is kept, because other agents know it; only when somebody took it meanwhile, it is another one. */
async function openFront(port: number): Promise<Proxies> {
  if (port === 0) return await openProxies({ host: FRONT_HOST, port: await freePort() });
  return await openProxies({ host: FRONT_HOST, port }).catch(() => openFront(0));
}

function statusesIn(scripts: Scripts): Pick<AgentStatus, 'scripts'> {
  const statuses = scripts.statuses();
  return statuses ? { scripts: statuses } : {};
}

async function takeUp(
  memory: AgentMemory,
  application: Application,
  proxies: Proxies,
  scripts: Scripts,
): Promise<void> {
  if (memory.desired) application.resume(memory.desired);
  // Its manager asks again for what this one cannot bring back.
  if (memory.scripts) await scripts.resume(memory.scripts).catch((error: Error) => console.error(error.message));
  if (!memory.proxy) return;
  // Its manager sees `listening: false` and asks again.
  await proxies.take(memory.proxy).catch((error: Error) => console.error(error.message));
}
