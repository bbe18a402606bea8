import type { ConpaasNode, ConpaasService, RoleCounts } from '../../../domain/conpaas.js';
import { countOf, type ManagerCore, type Method, type MethodCall, RpcError, textOf } from '../method.js';
import { checkCloud } from './common.js';

const ROLES = ['proxy', 'web', 'backend'] as const;
type WebRole = (typeof ROLES)[number];

/** Nodes of the services that people reach through a proxy. */
export const WEB_NODE_METHODS: readonly Method[] = [
  {
    name: 'list_nodes',
    kind: 'GET',
    async run(manager) {
      const nodes = await runningNodes(manager);
      const ids = (role: WebRole) => nodes.filter(({ roles }) => roles.includes(role)).map(({ nodeId }) => nodeId);
      return { result: { proxy: ids('proxy'), web: ids('web'), backend: ids('backend') } };
    },
  },
  {
    name: 'get_node_info',
    kind: 'GET',
    required: ['serviceNodeId'],
    async run(manager, call) {
      const id = textOf(call, 'serviceNodeId');
      const node = (await runningNodes(manager)).find(({ nodeId }) => nodeId === id);
      if (!node) throw new RpcError('Invalid arguments DETAIL:Invalid "serviceNodeId"');
      const { nodeId, vmid, cloud, roles } = node;
      const serviceNode = {
        id: nodeId,
        ip: addressOf(manager, node),
        vmid: String(vmid),
        cloud,
        isRunningProxy: roles.includes('proxy'),
        isRunningWeb: roles.includes('web'),
        isRunningBackend: roles.includes('backend'),
        weightWeb: 100,
        weightBackend: 100,
      };
      return { result: { serviceNode } };
    },
  },
  {
    name: 'add_nodes',
    kind: 'POST',
    optional: [...ROLES, 'cloud', 'vm_backend_instance', 'vm_web_instance'],
    async run({ lifecycle }, call) {
      checkCloud(call);
      const more = countsOf(call);
      await lifecycle.begin({
        from: ['RUNNING'],
        to: 'ADAPTING',
        reason: 'add_nodes',
        goal(current) {
          const counts = summed(current.counts, more, 1);
          checkProxies(counts);
          return { ...current, counts };
        },
      });
      return { result: {} };
    },
  },
  {
    name: 'remove_nodes',
    kind: 'POST',
    optional: [...ROLES, 'node_ip'],
    async run(manager, call) {
      const ip = textOf(call, 'node_ip');
      const named = ip === undefined ? undefined : await nodeAt(manager, ip);
      const less = named ? { [named.role]: 1 } : countsOf(call);
      await manager.lifecycle.begin({
        from: ['RUNNING'],
        to: 'ADAPTING',
        reason: 'remove_nodes',
        goal(current) {
          const counts = summed(current.counts, less, -1);
          for (const role of ROLES) {
            if ((counts[role] ?? 0) < (role === 'proxy' ? 1 : 0)) throw tooFew(role);
          }
          checkProxies(counts);
          return { ...current, counts, ...(named ? { remove: [named.node.nodeId] } : {}) };
        },
      });
      return { result: {} };
    },
  },
  {
    name: 'get_service_performance',
    kind: 'GET',
    run: async () => ({ result: { request_rate: 0, error_rate: 0, throughput: 0, response_time: 0 } }),
  },
];

function countsOf(call: MethodCall): RoleCounts {
  const counts = Object.fromEntries(ROLES.map((role) => [role, countOf(call, role) ?? 0]));
  if (Object.values(counts).every((count) => count === 0)) {
    throw new RpcError('Invalid arguments DETAIL:Need a positive value for at least one');
  }
  return counts;
}

function summed(counts: RoleCounts, changes: RoleCounts, sign: 1 | -1): RoleCounts {
  return Object.fromEntries(ROLES.map((role) => [role, (counts[role] ?? 0) + sign * (changes[role] ?? 0)]));
}

/** Several proxies cannot each carry the packed roles. */
function checkProxies(counts: RoleCounts): void {
  if ((counts['proxy'] ?? 1) <= 1) return;
  for (const role of ['web', 'backend']) {
    if ((counts[role] ?? 0) === 0) {
      throw new RpcError(
        `Invalid arguments DETAIL:Cannot add more proxy servers without at least one "${role} only" node`,
      );
    }
  }
}

function tooFew(role: WebRole): RpcError {
  return new RpcError(`Invalid arguments DETAIL:Not enough ${role} nodes will be left`);
}

async function nodeAt(manager: ManagerCore, ip: string): Promise<{ node: ConpaasNode; role: WebRole }> {
  const service = await manager.lifecycle.service();
  const node = (await runningNodes(manager)).find((candidate) => addressOf(manager, candidate) === ip);
  const role = ROLES.find((known) => node?.roles.includes(known));
  if (!node || !role) throw new RpcError('Invalid arguments DETAIL:Invalid "node_ip"');
  if (role === 'proxy' && holdsAddress(service, node)) {
    throw new RpcError('Invalid arguments DETAIL:The first proxy holds the address of the service and stays');
  }
  return { node, role };
}

export function holdsAddress({ endpoint }: ConpaasService, node: ConpaasNode): boolean {
  return node.endpoint?.address === endpoint.address && node.endpoint.port === endpoint.port;
}

/** Throws RpcError unless the service has nodes that can be told. */
export async function runningNodes({ lifecycle, store, sid }: ManagerCore): Promise<ConpaasNode[]> {
  const { state } = await lifecycle.service();
  if (state !== 'RUNNING' && state !== 'ADAPTING') {
    throw new RpcError('Cannot perform requested operation in current state');
  }
  return await store.nodes({ sid });
}

export function addressOf({ addresses }: ManagerCore, node: ConpaasNode): string {
  return addresses.nodeAddress(node) ?? node.endpoint?.address ?? '127.0.0.1';
}
