import { type AdapterCall, AdapterError, type DeploymentKey } from '../adapter.js';
import { pauseFor } from '../upstream.js';
import type { ManagerApi, ManagerClients } from './client.js';
import type { DirectorApi, ServiceRow, ServiceStatus } from './director.js';
import { UnknownMethod } from './errors.js';
import { serviceName } from './names.js';
import type { Settings } from './settings.js';

/** What the functions of this adapter work with: one call's signal and steps, and the platform. */
export interface Work {
  director: DirectorApi;
  managers: ManagerClients;
  settings: Settings;
  installation: string;
  call: AdapterCall;
}

/** A service of ours as it is now, and its manager. */
export interface Found {
  status: ServiceStatus;
  manager: ManagerApi;
  /** As /list shows it. */
  address: string;
}

/** The service of a deployment; undefined: there is none. A ref is a hint that is not needed: names are looked for. */
export async function findService(work: Work, key: DeploymentKey): Promise<Found | undefined> {
  return await findNamed(work, serviceName(key));
}

export async function findNamed(work: Work, name: string): Promise<Found | undefined> {
  const { director, managers, call } = work;
  const row = (await director.services(call.signal)).find((one) => one.name === name);
  if (!row) return undefined;
  const manager = managers.at(row.manager, call);
  return { status: await statusOf(work, row), manager, address: row.manager };
}

/** Throws AdapterError `not-found`. */
export async function needService(work: Work, key: DeploymentKey): Promise<Found> {
  const found = await findService(work, key);
  if (found) return found;
  throw new AdapterError('not-found', `ConPaaS has no service "${serviceName(key)}".`);
}

/** Of every service of the user, in one call where the Director is ours, else in a few for each service. */
export async function allStatuses(work: Work, wanted: (row: { name: string }) => boolean): Promise<ServiceStatus[]> {
  const { director, call } = work;
  const statuses = await director.statuses(call.signal);
  if (statuses) return statuses.filter(wanted);
  const rows = (await director.services(call.signal)).filter(wanted);
  return await Promise.all(rows.map((row) => composed(work, row)));
}

async function statusOf(work: Work, row: ServiceRow): Promise<ServiceStatus> {
  const statuses = await work.director.statuses(work.call.signal);
  return statuses?.find(({ sid }) => sid === row.sid) ?? (await composed(work, row));
}

/** The same from the methods of 2012. */
async function composed({ managers, call, settings }: Work, row: ServiceRow): Promise<ServiceStatus> {
  const manager = managers.at(row.manager, call);
  const { state } = (await manager.get('get_service_info')) as { state: string };
  const { codeVersions } = (await manager.get('list_code_versions')) as { codeVersions: CodeVersion[] };
  const current = codeVersions.find((version) => version.current);
  const serves = state === 'RUNNING' || state === 'ADAPTING';
  const nodes = serves ? await nodesOf(manager) : [];
  const ip = serves ? await proxyAddress(manager, nodes) : undefined;
  return {
    sid: row.sid,
    aid: row.application_id,
    name: row.name,
    type: row.type,
    state,
    reason: state === 'ERROR' ? await lastReason(manager) : '',
    processes: Math.max(1, nodes.filter(({ roles }) => roles.includes('backend')).length),
    code: { codeVersionId: current?.codeVersionId ?? '', description: current?.description ?? '' },
    nodes,
    ...(ip === undefined ? {} : { url: `http://${ip}${settings.appPort === 80 ? '' : `:${settings.appPort}`}` }),
  };
}

export interface CodeVersion {
  codeVersionId: string;
  description: string;
  current?: boolean;
}

async function nodesOf(manager: ManagerApi): Promise<ServiceStatus['nodes']> {
  const lists = (await manager.get('list_nodes')) as Record<string, string[]>;
  const ids = [...new Set(Object.values(lists).flat())];
  const rolesOf = (id: string) => Object.keys(lists).filter((role) => lists[role]?.includes(id));
  return ids.map((id) => ({ id, roles: rolesOf(id), phase: 'running' }));
}

async function proxyAddress(manager: ManagerApi, nodes: ServiceStatus['nodes']): Promise<string | undefined> {
  const proxy = nodes.find(({ roles }) => roles.includes('proxy'));
  if (!proxy) return undefined;
  const { serviceNode } = (await manager.get('get_node_info', { serviceNodeId: proxy.id })) as {
    serviceNode: { ip: string };
  };
  return serviceNode.ip;
}

/** Why the service is in its state, from its history. */
export async function lastReason(manager: ManagerApi): Promise<string> {
  const history = (await manager.get('get_service_history')) as { state_log: { reason: string }[] };
  return history.state_log.at(-1)?.reason ?? '';
}

/** Milliseconds for undoing what was half done: the call's own signal may be aborted already. */
export const CLEANING = 60_000;

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;

/** Waits until the service rests: anything but PROLOGUE, ADAPTING, EPILOGUE. Throws AdapterError `timeout`. */
export async function untilResting(work: Work, { manager }: Found, step: string): Promise<string> {
  const deadline = Date.now() + work.settings.changeTimeout;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
    work.call.signal.throwIfAborted();
    const { state } = (await manager.get('get_service_info')) as { state: string };
    if (!['PROLOGUE', 'ADAPTING', 'EPILOGUE'].includes(state)) return state;
    work.call.step(step, { text: `the service is in ${state}` });
    if (Date.now() > deadline) {
      const seconds = work.settings.changeTimeout / 1000;
      throw new AdapterError('timeout', `The ConPaaS service was still in ${state} after ${seconds} s.`);
    }
    await pauseFor(pause, work.call.signal);
  }
}

/** What only our own managers have: undefined on others. */
export async function ours<T>(asking: Promise<T>): Promise<T | undefined> {
  return await asking.catch((error: unknown) => {
    if (error instanceof UnknownMethod) return undefined;
    throw error;
  });
}
