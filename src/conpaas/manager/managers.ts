import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ConpaasService, NewConpaasService, ServiceGoal, ServiceSettings } from '../../domain/conpaas.js';
import { Fault } from '../../domain/errors.js';
import type { AgentStatus } from '../agent/protocol.js';
import { INITIAL_CODE } from './code-repository.js';
import { type Asked, codeFile, type Manager, type ManagerContext, openManager, serviceFolder } from './manager.js';
import { RpcError } from './method.js';
import { firstCounts, layoutOf } from './plan.js';

export type WantedService = Pick<NewConpaasService, 'aid' | 'uid' | 'type' | 'name' | 'cloud' | 'price'> & {
  /** What it holds to from its birth. */
  settings?: Partial<ServiceSettings>;
};

/** The managers of this host, one for each service. */
export interface Managers {
  /** Opens every manager that the store knows, and removes agents that it does not. */
  openAll(): Promise<void>;
  /** With its price taken; when it fails, nothing remains and the price is given back. */
  create(service: WantedService): Promise<ConpaasService | 'no-credit' | 'no-address'>;
  /** Ends a service at once. */
  terminate(sid: number): Promise<void>;
  /** Lets the manager end its service, in the background. */
  delete(sid: number): Promise<void>;
  /** Resolves when the services are gone. Throws Fault PlatformTimeout. */
  ended(sids: readonly number[]): Promise<void>;
  /** What the manager asks for when its nodes are gone: removes row, files and certificates, and closes it. */
  forget(sid: number): Promise<void>;
  /** What the agents of a service say now. */
  agents(sid: number): Promise<Map<string, AgentStatus | 'silent'>>;
  /** Calls a method of a manager as its owner would. Throws RpcError. */
  ask(sid: number, call: Asked): Promise<unknown>;
  /** Resolves when a service rests. Throws Fault PlatformTimeout. */
  settled(sid: number): Promise<void>;
  /** The file of a code version. */
  codeFile(sid: number, codeVersionId: string): string;
  /** Renews what ends soon. */
  renew(): Promise<void>;
  /** Pays due hours, brings dead agents back, opens managers whose address was taken. */
  tick(): Promise<void>;
  /** Agents and applications go on. */
  close(): Promise<void>;
}

const TRIES = 20;
/** Milliseconds. */
const PATIENCE = 120_000;
/** A manager that repeats its last call, because the answer was lost, is told `false` and not turned away. */
const LAST_WORDS = 60_000;

export function createManagers(context: ManagerContext): Managers {
  const { store, cloud, certification, addresses, log } = context;
  const managers = new Map<number, Promise<Manager>>();
  /** Services whose rows are about to go: nobody may open their managers again. */
  const ending = new Set<number>();

  function open(service: ConpaasService): Promise<Manager> {
    const known = managers.get(service.sid);
    if (known) return known;
    const opening = openManager(context, service);
    managers.set(service.sid, opening);
    opening.catch(() => managers.delete(service.sid));
    return opening;
  }

  async function managerOf(sid: number): Promise<Manager | undefined> {
    const known = managers.get(sid);
    if (known) return await known;
    const service = await store.service(sid);
    return service?.host === context.host && !ending.has(sid) ? await open(service) : undefined;
  }

  async function close(sid: number): Promise<void> {
    const manager = await managers.get(sid)?.catch(() => undefined);
    managers.delete(sid);
    await manager?.close();
  }

  async function discard(sid: number, options?: { refund: boolean }): Promise<void> {
    ending.add(sid);
    await close(sid);
    for (const { nodeId } of await store.nodes({ sid })) await cloud.kill(nodeId);
    await certification.revokeService(sid);
    await store.deleteService(sid, options);
    await removeFolder(sid);
  }

  async function removeFolder(sid: number): Promise<void> {
    await rm(serviceFolder(context, sid), { recursive: true, force: true });
    ending.delete(sid);
  }

  async function openAll(): Promise<void> {
    const [services, nodes, instances] = await Promise.all([
      store.services({ host: context.host }),
      store.nodes({ host: context.host }),
      cloud.list(),
    ]);
    const known = new Set(nodes.map(({ nodeId }) => nodeId));
    for (const { agentId } of instances) {
      if (known.has(agentId)) continue;
      log.warn({ agentId }, 'An agent that belongs to no service is ended');
      await cloud.kill(agentId);
    }
    await sweep(new Set(services.map(({ sid }) => String(sid))));
    await Promise.all(services.map((service) => openOrTell(service)));
  }

  /** Folders of services whose end was cut off after their row was gone. */
  async function sweep(known: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(context.folder).catch(() => [])) {
      if (known.has(name)) continue;
      await certification.revokeService(Number(name));
      await rm(join(context.folder, name), { recursive: true, force: true });
    }
  }

  /** One service whose address is taken must not keep the others from their managers. */
  async function openOrTell(service: ConpaasService): Promise<void> {
    try {
      const manager = await open(service);
      await manager.resume();
    } catch (error) {
      log.error({ err: error, sid: service.sid }, 'A manager could not be opened; it is tried again');
    }
  }

  async function createRow({
    settings,
    ...wanted
  }: WantedService): Promise<ConpaasService | 'no-credit' | 'no-address'> {
    const current: ServiceGoal = {
      aim: 'stopped',
      counts: firstCounts(layoutOf(wanted.type)),
      codeVersionId: INITIAL_CODE,
      settings: { variables: {}, php: {}, ...settings },
    };
    for (let tried = 0; tried < TRIES; tried++) {
      const made = await store.createService({
        ...wanted,
        host: context.host,
        current,
        managers: await addresses.managerCandidates(),
        endpoints: await addresses.endpointCandidates(),
      });
      if (made !== 'no-address') return made;
    }
    return 'no-address';
  }

  async function mend(service: ConpaasService, alive: ReadonlySet<string>): Promise<void> {
    const manager = await managerOf(service.sid);
    if (!manager) return;
    await manager.pay();
    // Under way, as a rule; what the store's absence has interrupted goes on.
    if (service.goal !== null) return await manager.resume();
    if (service.state !== 'RUNNING') return;
    const nodes = await store.nodes({ sid: service.sid });
    if (nodes.some(({ nodeId }) => !alive.has(nodeId))) await manager.resume();
  }

  return {
    openAll,
    async create(wanted) {
      const made = await createRow(wanted);
      if (typeof made === 'string') return made;
      try {
        await open(made);
        return made;
      } catch (error) {
        await discard(made.sid, { refund: true });
        throw error;
      }
    },
    terminate: (sid) => discard(sid),
    delete: async (sid) => {
      await (await managerOf(sid))?.delete();
    },
    async ended(sids) {
      for (const sid of sids) {
        await until(async () => !(await store.service(sid)), `Service ${sid} did not end in time.`);
      }
    },
    async forget(sid) {
      ending.add(sid);
      const nodes = await store.nodes({ sid });
      await certification.revokeService(sid, LAST_WORDS);
      await store.deleteService(sid);
      // Not waited for: the caller is that manager, which waits for this answer.
      close(sid)
        .then(() => Promise.all(nodes.map(({ nodeId }) => cloud.kill(nodeId))))
        .then(() => removeFolder(sid))
        .catch((error: unknown) => log.error({ err: error, sid }, 'A manager could not be closed'));
    },
    async ask(sid, call) {
      const manager = await managerOf(sid);
      if (!manager) throw new RpcError('The service does not exist any more.');
      return await manager.ask(call);
    },
    settled: (sid) =>
      until(async () => {
        const service = await store.service(sid);
        return service === undefined || service.goal === null;
      }, `Service ${sid} did not come to rest in time.`),
    codeFile: (sid, codeVersionId) => codeFile(serviceFolder(context, sid), codeVersionId),
    agents: async (sid) => (await (await managerOf(sid))?.agents()) ?? new Map(),
    async renew() {
      for (const [sid, opening] of managers) {
        await opening
          .then((manager) => manager.renew())
          .catch((error: unknown) => log.error({ err: error, sid }, 'Certificates could not be renewed'));
      }
    },
    async tick() {
      const services = await store.services({ host: context.host });
      const alive = new Set((await cloud.list()).flatMap(({ agentId, alive: lives }) => (lives ? [agentId] : [])));
      for (const service of services) {
        await mend(service, alive).catch((error: unknown) =>
          log.warn({ err: error, sid: service.sid }, 'A service could not be looked after'),
        );
      }
    },
    async close() {
      await Promise.all([...managers.keys()].map((sid) => close(sid)));
    },
  };
}

async function until(isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Fault('PlatformTimeout', otherwise);
    await wait(50);
  }
}
