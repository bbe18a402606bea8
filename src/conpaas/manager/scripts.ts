import type { ConpaasNode, ServiceGoal } from '../../domain/conpaas.js';
import type { AddressBook } from '../addresses.js';
import type { AgentClient } from '../agent/client.js';
import type { Peer, ScriptStatuses } from '../agent/protocol.js';
import type { CodeRepository } from './code-repository.js';
import { RpcError } from './method.js';

export interface ScriptNode {
  node: ConpaasNode;
  agent: AgentClient;
}

/** Whether any script of a status runs. */
export function isRunning(statuses: ScriptStatuses | undefined): boolean {
  return Object.values(statuses ?? {}).includes('RUNNING');
}

/**
 * Brings the nodes of a generic service to a goal: all have its code, of which each new one runs `init.sh`, and know each other; those
 * that were there before run `notify.sh` when others came or went. Repeated, it changes nothing.
 */
export async function activateScripts(
  { code, addresses, note }: { code: CodeRepository; addresses: AddressBook; note(text: string): void },
  members: readonly ScriptNode[],
  { codeVersionId, settings, volumes = [] }: ServiceGoal,
  signal: AbortSignal,
): Promise<void> {
  const peers = members.map(({ node }): Peer => {
    return { id: node.nodeId, ip: addresses.nodeAddress(node) ?? '127.0.0.1', role: node.roles[0] ?? 'node' };
  });
  await Promise.all(
    members.map(async ({ node, agent }) => {
      note(`${codeVersionId} on ${node.nodeId}`);
      await agent.sendCode(codeVersionId, () => code.open(codeVersionId), signal);
      const own = volumes.filter(({ agentId }) => agentId === node.nodeId).map(({ volumeName }) => volumeName);
      await agent.scripts({ codeVersionId, settings, peers, volumes: own }, signal);
    }),
  );
}

/** Of each node; throws RpcError when one does not answer. */
export async function scriptStatuses(
  nodes: readonly ConpaasNode[],
  agents: ReadonlyMap<string, AgentClient>,
): Promise<Record<string, ScriptStatuses>> {
  const statuses = await Promise.all(
    nodes.map(async ({ nodeId }) => {
      const scripts = (
        await agents
          .get(nodeId)
          ?.status()
          .catch(() => undefined)
      )?.scripts;
      if (!scripts) throw new RpcError(`Failed to obtain script status at node ${nodeId}`);
      return [nodeId, scripts] as const;
    }),
  );
  return Object.fromEntries(statuses);
}
