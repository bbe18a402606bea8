import { text } from 'node:stream/consumers';
import { type Method, RpcError, textOf } from '../method.js';

const LINES = 10_000;
const PARTS = { 'agent.out': 'out', 'agent.err': 'err' } as const;

/** What the scripts of one node printed: `agent.out`, `agent.err`, or without a name both, with the agent's own notes. */
export const GET_AGENT_LOG: Method = {
  name: 'get_agent_log',
  kind: 'GET',
  required: ['agentId'],
  optional: ['filename'],
  async run({ store, fleet, sid }, call) {
    const id = textOf(call, 'agentId');
    const node = (await store.nodes({ sid })).find(({ nodeId }) => nodeId === id);
    if (!node) throw new RpcError('Invalid arguments DETAIL:Invalid agentId');
    const name = textOf(call, 'filename') ?? '';
    if (name !== '' && !Object.hasOwn(PARTS, name)) throw new RpcError(`ERROR: Invalid log filename: '${name}'`);
    const part = PARTS[name as keyof typeof PARTS];
    const agent = (await fleet.living([node])).get(node.nodeId);
    if (!agent) throw new RpcError(`Failed to read log file of ${node.nodeId}: its agent does not answer`);
    const stream = await agent.logs({ lines: LINES, follow: false, ...(part && { part }) });
    return { result: { log: await text(stream) } };
  },
};
