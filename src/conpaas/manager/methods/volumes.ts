import type { ServiceGoal, ServiceVolume } from '../../../domain/conpaas.js';
import { countOf, type ManagerCore, type Method, type MethodCall, RpcError, textOf } from '../method.js';
import { assertNoScripts, restingNodes } from './generic.js';

/**
 * Places for the data of a generic service's nodes, outside of their code. On the local cloud a volume is a folder, `$VOLUMES/NAME` for
 * the scripts: it lives as long as its node, and its size is kept but not enforced.
 */
export const VOLUME_METHODS: readonly Method[] = [
  {
    name: 'list_volumes',
    kind: 'GET',
    run: async (manager) => ({ result: { volumes: await volumesOf(manager) } }),
  },
  {
    name: 'generic_create_volume',
    kind: 'POST',
    required: ['volumeName', 'volumeSize', 'agentId'],
    async run(manager, call) {
      const nodes = await restingNodes(manager, 'generic_create_volume');
      const volumeName = nameOf(call);
      const volumeSize = countOf(call, 'volumeSize');
      if (!volumeSize) throw new RpcError('Invalid arguments DETAIL:volumeSize should be a positive integer');
      const agentId = textOf(call, 'agentId') ?? '';
      const known = await volumesOf(manager);
      if (known.some((volume) => volume.volumeName === volumeName)) {
        throw new RpcError('Invalid arguments DETAIL:volumeName already exists');
      }
      if (!nodes.some(({ nodeId }) => nodeId === agentId))
        throw new RpcError('Invalid arguments DETAIL:Invalid agentId');
      return await change(manager, 'generic_create_volume', [...known, { volumeName, volumeSize, agentId }]);
    },
  },
  {
    name: 'generic_delete_volume',
    kind: 'POST',
    required: ['volumeName'],
    async run(manager, call) {
      await restingNodes(manager, 'generic_delete_volume');
      const volumeName = nameOf(call);
      const known = await volumesOf(manager);
      const left = known.filter((volume) => volume.volumeName !== volumeName);
      if (left.length === known.length) throw new RpcError('Invalid arguments DETAIL:Invalid volumeName');
      return await change(manager, 'generic_delete_volume', left);
    },
  },
];

/** Nodes take theirs with them when they go. */
async function volumesOf({ lifecycle, store, sid }: ManagerCore): Promise<ServiceVolume[]> {
  const { volumes = [] } = (await lifecycle.service()).current;
  const nodes = new Set((await store.nodes({ sid })).map(({ nodeId }) => nodeId));
  return volumes.filter(({ agentId }) => nodes.has(agentId));
}

function nameOf(call: MethodCall): string {
  const name = textOf(call, 'volumeName') ?? '';
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw new RpcError('Volume name contains invalid characters');
  return name;
}

async function change(manager: ManagerCore, reason: string, volumes: ServiceVolume[]) {
  await assertNoScripts(manager);
  await manager.lifecycle.begin({
    from: ['RUNNING'],
    to: 'ADAPTING',
    reason,
    goal: (current): ServiceGoal => ({ ...current, volumes }),
  });
  return { result: { state: 'ADAPTING' } };
}
