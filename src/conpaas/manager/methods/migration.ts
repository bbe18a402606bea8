import type { ConpaasNode } from '../../../domain/conpaas.js';
import { type ManagerCore, type Method, type MethodCall, RpcError } from '../method.js';
import { holdsAddress, runningNodes } from './nodes.js';

/** There is one cloud: a node that moves from it to it is replaced by a new one, which serves before the old one ends. */
export const MIGRATE_NODES: Method = {
  name: 'migrate_nodes',
  kind: 'POST',
  required: ['migration_plan'],
  optional: ['delay'],
  async run(manager, call) {
    const { state } = await manager.lifecycle.service();
    if (state !== 'RUNNING') {
      throw new RpcError(`Wrong service state: was expecting one of ['RUNNING'] but current state is '${state}'`);
    }
    if (![undefined, 0, '0'].includes(call.parameters['delay'] as undefined)) {
      throw new RpcError("Parameter 'delay': old nodes end as soon as the new ones serve, without a delay.");
    }
    const nodes = await runningNodes(manager);
    const moving = planOf(call).map((move) => nodeOf(nodes, move));
    await assertMovable(manager, moving);
    await manager.lifecycle.begin({
      from: ['RUNNING'],
      to: 'ADAPTING',
      reason: 'migrate_nodes',
      goal: (current) => ({ ...current, remove: moving.map(({ nodeId }) => nodeId) }),
    });
    return { result: {} };
  },
};

const KEYS = ['from_cloud', 'vmid', 'to_cloud'] as const;
type Move = Record<(typeof KEYS)[number], string>;

function planOf({ parameters }: MethodCall): Move[] {
  const { migration_plan: plan } = parameters;
  if (!Array.isArray(plan)) throw new RpcError("Parameter 'migration_plan': should be a list of dictionaries.");
  return plan.map((move: unknown) => {
    const entries = Object.entries(typeof move === 'object' && move !== null ? move : {});
    const values = Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
    const missing = KEYS.find((key) => values[key] === undefined);
    if (missing) throw new RpcError(`Parameter 'migration_plan': missing key '${missing}'.`);
    return values as Move;
  });
}

function nodeOf(nodes: readonly ConpaasNode[], { from_cloud: from, vmid, to_cloud: to }: Move): ConpaasNode {
  const node = nodes.find((one) => isCloud(from) && String(one.vmid) === vmid);
  if (!node) throw new RpcError(`Unknown node from cloud ${from} with VM identifier ${vmid}`);
  if (!isCloud(to)) throw new RpcError(`A cloud named '${to}' could not be found`);
  return node;
}

function isCloud(name: string): boolean {
  return name === 'default' || name === 'iaas';
}

async function assertMovable({ lifecycle }: ManagerCore, nodes: readonly ConpaasNode[]): Promise<void> {
  const service = await lifecycle.service();
  if (!nodes.some((node) => holdsAddress(service, node))) return;
  throw new RpcError('The first proxy holds the address of the service and stays');
}
