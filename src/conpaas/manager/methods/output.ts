import { countOf, type Method, textOf } from '../method.js';
import { lastOutput } from '../output.js';

/**
 * Ours: what the application printed, as plain text, oldest line first; lines of several nodes begin with the node's id. `follow` keeps
 * the answer open. Of a service without nodes: the last lines before they ended.
 */
export const OUTPUT_METHODS: readonly Method[] = [
  {
    name: 'get_application_log',
    kind: 'GET',
    optional: ['lines', 'follow', 'serviceNodeId'],
    async run(manager, call) {
      const lines = Math.min(countOf(call, 'lines') ?? 100, 10_000);
      const follow = call.parameters['follow'] === true || call.parameters['follow'] === 'true';
      const nodeId = textOf(call, 'serviceNodeId');
      const stream = await lastOutput(manager, { lines, follow, ...(nodeId === undefined ? {} : { nodeId }) });
      return { stream, type: 'text/plain; charset=utf-8' };
    },
  },
];
