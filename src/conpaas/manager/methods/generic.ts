import type { ConpaasNode } from '../../../domain/conpaas.js';
import { SCRIPT_COMMANDS } from '../../agent/protocol.js';
import { countOf, type ManagerCore, type Method, type MethodCall, RpcError, textOf } from '../method.js';
import { isRunning, scriptStatuses } from '../scripts.js';
import { ENABLE_CODE } from './code.js';
import { nodeCountMethods } from './node-count.js';
import { addressOf, runningNodes } from './nodes.js';

/** Nodes and scripts of the service that runs whatever its archive's scripts start. */
export const GENERIC_METHODS: readonly Method[] = [
  {
    name: 'list_nodes',
    kind: 'GET',
    async run(manager) {
      const nodes = await restingNodes(manager, 'list_nodes');
      const ids = (role: string) => nodes.filter(({ roles }) => roles.includes(role)).map(({ nodeId }) => nodeId);
      return { result: { master: ids('master'), node: ids('node') } };
    },
  },
  {
    name: 'get_node_info',
    kind: 'GET',
    optional: ['serviceNodeId'],
    async run(manager, call) {
      const id = textOf(call, 'serviceNodeId');
      if (id === undefined) throw new RpcError('ERROR: serviceNodeId is a required argument');
      const node = (await manager.store.nodes({ sid: manager.sid })).find(({ nodeId }) => nodeId === id);
      if (!node) throw new RpcError(`ERROR: Cannot find node with serviceNode=${id}`);
      const serviceNode = { id, ip: addressOf(manager, node), is_master: node.roles.includes('master') };
      return { result: { serviceNode } };
    },
  },
  ...nodeCountMethods({ wantedCount, tooFew: 'ERROR: Cannot remove so many nodes', result: { state: 'ADAPTING' } }),
  {
    ...ENABLE_CODE,
    async run(manager, call) {
      const { state } = await manager.lifecycle.service();
      if (state === 'RUNNING') await assertNoScripts(manager);
      return await ENABLE_CODE.run(manager, call);
    },
  },
  {
    name: 'execute_script',
    kind: 'POST',
    required: ['command'],
    optional: ['parameters'],
    async run(manager, call) {
      const nodes = await restingNodes(manager, 'execute_script');
      const name = textOf(call, 'command');
      const command = SCRIPT_COMMANDS.find((known) => known === name);
      if (!command) throw new RpcError('Invalid arguments DETAIL:invalid command');
      const parameters = textOf(call, 'parameters') ?? '';
      const agents = await manager.fleet.living(nodes);
      if (command !== 'interrupt') await assertNoScripts(manager);
      else if (!(await scriptsRun(manager))) {
        throw new RpcError('ERROR: No scripts are currently running inside agents. Nothing to interrupt.');
      }
      await Promise.all([...agents.values()].map((agent) => agent.execute(command, parameters)));
      return { result: { state: 'RUNNING' } };
    },
  },
  {
    name: 'get_script_status',
    kind: 'GET',
    async run(manager) {
      const nodes = await restingNodes(manager, 'get_script_status');
      return { result: { agents: await scriptStatuses(nodes, await manager.fleet.living(nodes)) } };
    },
  },
];

function wantedCount(call: MethodCall): number {
  const count = countOf(call, 'count') ?? countOf(call, 'node');
  if (count === undefined) throw new RpcError('ERROR: count is a required argument');
  if (count === 0) throw new RpcError("ERROR: Expected an integer value for 'count'");
  return count;
}

/** Throws RpcError unless the service runs and rests. */
export async function restingNodes(manager: ManagerCore, action: string): Promise<ConpaasNode[]> {
  const { state } = await manager.lifecycle.service();
  if (state !== 'RUNNING') throw new RpcError(`ERROR: cannot perform ${action} in state ${state}`);
  return await runningNodes(manager);
}

async function scriptsRun({ store, fleet, sid }: ManagerCore): Promise<boolean> {
  const nodes = await store.nodes({ sid });
  return Object.values(await scriptStatuses(nodes, await fleet.living(nodes))).some(isRunning);
}

export async function assertNoScripts(manager: ManagerCore): Promise<void> {
  if (!(await scriptsRun(manager))) return;
  throw new RpcError(
    "ERROR: Scripts are still running inside at least one agent. Please wait for them to finish execution or call 'interrupt' first.",
  );
}
