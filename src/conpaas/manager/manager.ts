import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ArchiveLimits } from '../../archives/index.js';
import type { ConpaasNode, ConpaasService, ConpaasStore } from '../../domain/conpaas.js';
import type { AddressBook } from '../addresses.js';
import type { AgentStatus } from '../agent/protocol.js';
import type { Certification } from '../certification.js';
import type { Cloud } from '../cloud/cloud.js';
import { createDirectorClient } from '../director-client.js';
import type { ReceivedFile } from '../http/request.js';
import { keptCredential, readCredential } from '../key-files.js';
import type { ConpaasLog } from '../log.js';
import { createSecureServer } from '../secure-server.js';
import { openCodeRepository } from './code-repository.js';
import { createCredits } from './credits.js';
import { defaultCode } from './default-code.js';
import { createFleet } from './fleet.js';
import { createManagerHandler } from './http.js';
import { createLifecycle } from './lifecycle.js';
import { openManagerLog } from './manager-log.js';
import { checkParameters, type ManagerCore, type Method, RpcError } from './method.js';
import { methodsOf } from './methods/table.js';
import { lastOutput } from './output.js';
import { isResting } from './plan.js';

/** What every manager of this host shares. */
export interface ManagerContext {
  store: ConpaasStore;
  certification: Certification;
  cloud: Cloud;
  addresses: AddressBook;
  host: string;
  /** Holds one folder for each service. */
  folder: string;
  limits: ArchiveLimits;
  /** Bytes of an upload. */
  largestUpload: number;
  admitUpload: (bytes: number) => Promise<void>;
  directorUrl(): string;
  clock(): Date;
  log: ConpaasLog;
}

/** The manager of one service: an object with its own address, TLS server and certificate. */
export interface Manager {
  readonly sid: number;
  /** Takes up what a crash interrupted, and brings dead agents of a running service back. */
  resume(): Promise<void>;
  /** Calls one of its methods from inside. Throws RpcError. */
  ask(call: Asked): Promise<unknown>;
  /** As its method `delete`. */
  delete(): Promise<void>;
  /** What its agents say now; a dead one is absent. */
  agents(): Promise<Map<string, AgentStatus | 'silent'>>;
  /** New certificates for manager and agents when theirs end soon. */
  renew(): Promise<void>;
  /** Pays the hours that have begun; a refusal stops the service. */
  pay(): Promise<void>;
  /** Agents and applications go on. */
  close(): Promise<void>;
}

export interface Asked {
  kind: Method['kind'];
  name: string;
  parameters?: Record<string, unknown>;
  files?: ReceivedFile[];
}

/** Milliseconds for an agent's answer when many are asked. */
const GLANCE = 3_000;
const KEPT_LINES = 1_000;

export function serviceFolder(context: Pick<ManagerContext, 'folder'>, sid: number): string {
  return join(context.folder, String(sid));
}

function codeFolder(folder: string): string {
  return join(folder, 'code');
}

export function codeFile(folder: string, codeVersionId: string): string {
  return join(codeFolder(folder), codeVersionId);
}

/** Opens the manager of a service that has a row. Rejects when its address cannot be had. */
export async function openManager(context: ManagerContext, service: ConpaasService): Promise<Manager> {
  const { store, certification, clock, log } = context;
  const { sid, uid } = service;
  const folder = serviceFolder(context, sid);
  const uploads = join(folder, 'uploads');
  await rm(uploads, { recursive: true, force: true });
  await mkdir(uploads, { recursive: true, mode: 0o700 });
  const kept = (await readCredential(folder))?.certificate;
  const issue = () => certification.forManager(service);
  let own = await keptCredential(folder, issue, new Date());
  // Agents are younger than their manager's certificate, and so are never further along in their year.
  let agentsAreDue = kept !== undefined && kept !== own.certificate;
  const credential = () => own;
  const { authority } = certification;
  const director = createDirectorClient({ url: context.directorUrl(), authority, credential });
  const code = openCodeRepository({ sid, folder: codeFolder(folder), store, limits: context.limits });
  const fleet = createFleet({ ...context, service, director, credential, authority });
  const credits = createCredits({ sid, store, director, clock });
  const managerLog = openManagerLog(join(folder, 'manager.log'), clock);
  const outputFile = join(folder, 'output.log');
  const keepOutput = async (node: ConpaasNode) => {
    const agent = (await fleet.living([node])).get(node.nodeId);
    const lines = await agent
      ?.logs({ lines: KEPT_LINES, follow: false, signal: AbortSignal.timeout(GLANCE) })
      .then((stream) => text(stream))
      .catch(() => undefined);
    if (lines) await writeFile(outputFile, lines, { mode: 0o600 }).catch(() => undefined);
  };
  const lifecycle = createLifecycle({
    sid,
    shop: { ...context, fleet, code, credits, note: managerLog.note, keepOutput },
    onDeleted: async () => {
      await director.terminateService(sid);
    },
    log,
  });
  const core: ManagerCore = {
    sid,
    store,
    lifecycle,
    code,
    fleet,
    addresses: context.addresses,
    outputFile,
    uploads,
    async log() {
      const output = await lastOutput(core, { lines: 100, follow: false }).then((stream) => text(stream));
      return `${await managerLog.tail()}${output ? `\nThe application's last lines:\n${output}` : ''}`;
    },
  };
  await addDefaultCode(service, code);
  const methods = methodsOf(service.type) ?? [];
  const server = createSecureServer({
    credential: own,
    authority,
    peers: certification.peers,
    handler: createManagerHandler({
      manager: core,
      uid,
      methods,
      folder: uploads,
      largestFile: context.largestUpload,
      admitUpload: context.admitUpload,
      log,
    }),
  });
  const { host, port } = context.addresses.managerAt(service);
  await server.listen(host, port);

  return {
    sid,
    resume: () => lifecycle.resume(),
    async ask({ kind, name, parameters = {}, files = [] }) {
      const method = methods.find((known) => known.kind === kind && known.name === name);
      if (!method) throw new RpcError(`A ${service.type} service has no method ${name}.`);
      checkParameters(method, { parameters, files });
      const outcome = await method.run(core, { parameters, files });
      return 'result' in outcome ? outcome.result : undefined;
    },
    delete: () => lifecycle.delete(),
    agents: () => askAgents(context, core),
    async renew() {
      const next = await keptCredential(folder, issue, new Date());
      if (next.certificate !== own.certificate) {
        own = next;
        agentsAreDue = true;
        server.use(own);
      }
      if (!agentsAreDue) return;
      await fleet.renew(await store.nodes({ sid }));
      agentsAreDue = false;
    },
    async pay() {
      const nodes = (await store.nodes({ sid })).filter((node) => !isResting(node));
      if (!(await credits.payDue(nodes))) await lifecycle.stopFor('Not enough credits.');
    },
    async close() {
      await server.close();
      await lifecycle.close();
      fleet.close();
      await managerLog.close();
    },
  };
}

async function addDefaultCode(service: ConpaasService, code: ReturnType<typeof openCodeRepository>): Promise<void> {
  await code.sweep();
  if ((await code.list()).length > 0) return;
  const initial = await defaultCode(service.type);
  if (initial) await code.addInitial(initial.archive, initial.filename);
}

/** One that lives and does not answer in time is busy, not gone. */
async function askAgents({ store, cloud }: ManagerContext, { sid, fleet }: ManagerCore) {
  const nodes = await store.nodes({ sid });
  const agents = await fleet.living(nodes);
  const answers = new Map<string, AgentStatus | 'silent'>();
  await Promise.all(
    [...agents].map(async ([nodeId, agent]) => {
      const status = await agent.status(AbortSignal.timeout(GLANCE)).catch(() => undefined);
      if (status) answers.set(nodeId, status);
    }),
  );
  if (answers.size < nodes.length) {
    for (const { agentId, alive } of await cloud.list()) {
      const isOurs = nodes.some(({ nodeId }) => nodeId === agentId);
      if (isOurs && alive && !answers.has(agentId)) answers.set(agentId, 'silent');
    }
  }
  return answers;
}
