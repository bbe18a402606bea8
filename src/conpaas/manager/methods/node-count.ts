import type { RoleCounts } from '../../../domain/conpaas.js';
import { type Method, type MethodCall, RpcError } from '../method.js';
import { checkCloud } from './common.js';

interface Words {
  /** How many nodes are meant. Throws RpcError in the service type's own words. */
  wantedCount(call: MethodCall): number;
  tooFew: string;
  result: object;
}

/** `add_nodes` and `remove_nodes` of a service whose nodes are all alike. The first node stays. */
export function nodeCountMethods({ wantedCount, tooFew, result }: Words): Method[] {
  const changing = (name: string, sign: 1 | -1): Method => ({
    name,
    kind: 'POST',
    optional: ['count', 'node', 'cloud'],
    async run({ lifecycle }, call) {
      checkCloud(call);
      const count = wantedCount(call);
      await lifecycle.begin({
        from: ['RUNNING'],
        to: 'ADAPTING',
        reason: name,
        goal(current) {
          const counts: RoleCounts = { node: (current.counts['node'] ?? 1) + sign * count };
          if ((counts['node'] ?? 0) < 1) throw new RpcError(tooFew);
          return { ...current, counts };
        },
      });
      return { result };
    },
  });
  return [changing('add_nodes', 1), changing('remove_nodes', -1)];
}
