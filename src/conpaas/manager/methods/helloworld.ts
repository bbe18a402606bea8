import type { ConpaasNode } from '../../../domain/conpaas.js';
import { countOf, type ManagerCore, type Method, type MethodCall, RpcError, textOf } from '../method.js';
import { nodeCountMethods } from './node-count.js';
import { addressOf } from './nodes.js';

/** The service that shows that managers and agents work: nodes without an application, each of which says hello. */
export const HELLOWORLD_METHODS: readonly Method[] = [
  {
    name: 'list_nodes',
    kind: 'GET',
    run: async (manager) => ({
      result: { helloworld: (await helloNodes(manager, 'list_nodes')).map(({ nodeId }) => nodeId) },
    }),
  },
  {
    name: 'get_node_info',
    kind: 'GET',
    required: ['serviceNodeId'],
    async run(manager, call) {
      const id = textOf(call, 'serviceNodeId');
      const node = (await helloNodes(manager, 'get_node_info')).find(({ nodeId }) => nodeId === id);
      if (!node) throw new RpcError("ERROR: Required argument doesn't exist");
      return { result: { serviceNode: { id: node.nodeId, ip: addressOf(manager, node) } } };
    },
  },
  {
    name: 'get_helloworld',
    kind: 'GET',
    async run(manager) {
      const nodes = await helloNodes(manager, 'get_helloworld');
      const agents = await manager.fleet.living(nodes);
      const greetings = await Promise.all(
        [...agents.values()].map(async (agent) => `Received helloworld from ${(await agent.status()).agentId}`),
      );
      return { result: { helloworld: greetings.join('\n') } };
    },
  },
  ...nodeCountMethods({ wantedCount, tooFew: 'ERROR: Not enough nodes will be left', result: {} }),
];

function wantedCount(call: MethodCall): number {
  const count = countOf(call, 'count') ?? countOf(call, 'node');
  if (!count) throw new RpcError("ERROR: Required argument doesn't exist");
  return count;
}

async function helloNodes({ lifecycle, store, sid }: ManagerCore, method: string): Promise<ConpaasNode[]> {
  const { state } = await lifecycle.service();
  if (state !== 'RUNNING' && state !== 'ADAPTING') throw new RpcError(`ERROR: Wrong state to ${method}`);
  return await store.nodes({ sid });
}
