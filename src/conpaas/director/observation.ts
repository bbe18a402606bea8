import type { ConpaasService } from '../../domain/conpaas.js';
import type { AddressBook } from '../addresses.js';
import type { AgentStatus } from '../agent/protocol.js';
import type { Answer } from '../http/answer.js';
import { isResting } from '../manager/plan.js';
import { type Director, type Endpoint, integer, type UserCall } from './endpoint.js';

/**
 * Ours: what the API of 2012 answers with one call for each service, or not at all. `/service_status[/{aid}]` tells everything that can
 * be seen of the caller's services; `/runtimes` what this machine can run, and how to get the rest.
 */
export const OBSERVATION_ENDPOINTS: readonly Endpoint[] = [
  { methods: ['GET', 'POST'], path: '/service_status/:aid?', who: 'user', run: serviceStatus },
  {
    methods: ['GET'],
    path: '/runtimes',
    anywhere: true,
    who: 'anyone',
    run: async ({ runtimes }) => ({ json: runtimes }),
  },
];

async function serviceStatus(director: Director, call: UserCall): Promise<Answer> {
  const filter = call.path['aid'] === undefined ? {} : { aid: integer(call, 'aid') };
  const services = await director.store.services({ ...filter, uid: call.user.uid });
  return { json: await Promise.all(services.map((service) => statusOf(director, service))) };
}

async function statusOf({ store, managers, addresses }: Director, service: ConpaasService) {
  const { sid, aid, name, type, state, reason, current } = service;
  const versions = await store.codeVersions(sid);
  const { codeVersionId } = current;
  return {
    sid,
    aid,
    name,
    type,
    state,
    reason,
    /** From the service's birth to its end. */
    url: urlOf(service, addresses),
    processes: Math.max(1, current.counts['backend'] ?? 0),
    code: {
      codeVersionId,
      description: versions.find((version) => version.codeVersionId === codeVersionId)?.description ?? '',
    },
    nodes: await nodesOf({ store, managers }, sid),
  };
}

/** A database's without user and password. */
function urlOf({ type, endpoint }: ConpaasService, addresses: AddressBook): string {
  if (type !== 'mysql') return addresses.publicUrl(endpoint);
  const { host, port } = addresses.databaseAt(endpoint);
  return `mysql://${host}:${port}`;
}

async function nodesOf({ store, managers }: Pick<Director, 'store' | 'managers'>, sid: number) {
  const nodes = (await store.nodes({ sid })).filter((node) => !isResting(node));
  if (nodes.length === 0) return [];
  const agents = await managers.agents(sid);
  return nodes.map(({ nodeId, roles }) => ({ id: nodeId, roles, ...applicationOf(agents.get(nodeId)) }));
}

/** `dead` and `silent` are of the agent, all other phases of its application. */
function applicationOf(status: AgentStatus | 'silent' | undefined) {
  if (!status) return { phase: 'dead', reason: 'Its agent is gone and has not come back yet.' };
  if (status === 'silent') return { phase: 'silent', reason: 'Its agent does not answer.' };
  const { phase, activity, restarts, reason, memoryBytes } = status.application;
  return { phase, activity, restarts, reason, memoryBytes };
}
