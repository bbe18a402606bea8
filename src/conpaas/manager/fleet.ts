import type { ConpaasNode, ConpaasService } from '../../domain/conpaas.js';
import { isFault } from '../../domain/errors.js';
import type { AddressBook } from '../addresses.js';
import { type AgentClient, createAgentClient } from '../agent/client.js';
import { OLDEST_PROTOCOL, PROTOCOL } from '../agent/protocol.js';
import { type Credential, createRequest } from '../certificates.js';
import type { Cloud, CloudInstance } from '../cloud/cloud.js';
import type { DirectorClient } from '../director-client.js';
import { isResting, keepsData } from './plan.js';

/** The agents of one service. */
export interface Fleet {
  /** The node's agent, alive: found, started again, or made. */
  ensure(node: ConpaasNode): Promise<AgentClient>;
  /** The agents of these nodes that live, without starting any. */
  living(nodes: readonly ConpaasNode[]): Promise<Map<string, AgentClient>>;
  /** Gives every living agent a new certificate, and speaks to them with the manager's current one. */
  renew(nodes: readonly ConpaasNode[]): Promise<void>;
  /** Ends agent and application; what they have on disk waits for `ensure`. Not there: done. */
  rest(node: ConpaasNode): Promise<void>;
  /** Ends agent and application and removes what they had on disk. Not there: done. */
  end(node: ConpaasNode): Promise<void>;
  close(): void;
}

export interface FleetOptions {
  service: ConpaasService;
  cloud: Cloud;
  director: DirectorClient;
  addresses: AddressBook;
  /** The manager's, as it is now. */
  credential(): Credential;
  authority: string;
}

export function createFleet({ service, cloud, director, addresses, credential, authority }: FleetOptions): Fleet {
  const { sid, uid, type } = service;
  const clients = new Map<string, { client: AgentClient; at: string }>();

  /** Its key is made here and never leaves this host; the Director sees the request alone. */
  async function credentialFor(node: ConpaasNode): Promise<Credential> {
    const { request, key } = await createRequest({
      role: 'agent',
      uid,
      serviceLocator: sid,
      commonName: `agent-${node.nodeId}`,
      organisation: 'ConPaaS',
    });
    return { certificate: await director.signRequest(request), key };
  }

  async function make(node: ConpaasNode): Promise<CloudInstance> {
    const address = addresses.nodeAddress(node);
    return await cloud.newInstance({
      agentId: node.nodeId,
      uid,
      sid,
      type,
      owner: sid,
      address,
      credential: await credentialFor(node),
      authority,
    });
  }

  function clientFor({ agentId, address }: CloudInstance): AgentClient {
    if (!address) throw new Error(`The agent ${agentId} has no address.`);
    const at = `${address.host} ${address.port}`;
    const known = clients.get(agentId);
    if (known?.at === at) return known.client;
    known?.client.close();
    const client = createAgentClient({ address, credential: credential(), authority, uid, sid });
    clients.set(agentId, { client, at });
    return client;
  }

  function forget(): void {
    for (const { client } of clients.values()) client.close();
    clients.clear();
  }

  async function living(nodes: readonly ConpaasNode[]): Promise<Map<string, AgentClient>> {
    const missing = nodes.some(({ nodeId }) => !clients.has(nodeId));
    for (const instance of missing ? await cloud.list() : []) {
      const isOurs = nodes.some(({ nodeId }) => nodeId === instance.agentId);
      if (isOurs && instance.alive && instance.address) clientFor(instance);
    }
    return new Map(
      nodes.flatMap(({ nodeId }) => {
        const known = clients.get(nodeId);
        return known ? [[nodeId, known.client] as const] : [];
      }),
    );
  }

  function drop(nodeId: string): void {
    clients.get(nodeId)?.client.close();
    clients.delete(nodeId);
  }

  return {
    living,
    async renew(nodes) {
      forget();
      const agents = await living(nodes);
      for (const node of nodes) await agents.get(node.nodeId)?.renew(await credentialFor(node));
      forget();
    },
    async ensure(node) {
      // One that rested gets a new certificate.
      const found = isResting(node)
        ? undefined
        : await cloud.revive(node.nodeId).catch((error: unknown) => {
            if (isFault(error) && error.code === 'NotFound') return undefined;
            throw error;
          });
      if (found && isSpokenTo(found)) return clientFor(found);
      // Born before an upgrade that left its language behind.
      if (found) await (keepsData(type) ? cloud.halt : cloud.kill)(node.nodeId);
      return clientFor(await make(node));
    },
    async end(node) {
      const client = clients.get(node.nodeId)?.client;
      await client?.end().catch(() => undefined);
      drop(node.nodeId);
      await cloud.kill(node.nodeId);
    },
    async rest(node) {
      drop(node.nodeId);
      await cloud.halt(node.nodeId);
    },
    close: forget,
  };
}

/** Both tell the newest version that they speak and the oldest: there must be one that both do. */
function isSpokenTo({ protocol = PROTOCOL, oldestProtocol = OLDEST_PROTOCOL }: CloudInstance): boolean {
  return protocol >= OLDEST_PROTOCOL && oldestProtocol <= PROTOCOL;
}
