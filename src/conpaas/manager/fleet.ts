import type { ConpaasNode, ConpaasService } from '../../domain/conpaas.js';
import type { AddressBook } from '../addresses.js';
import { type AgentClient, createAgentClient } from '../agent/client.js';
import { type Credential, createRequest } from '../certificates.js';
import type { Cloud, CloudInstance } from '../cloud/cloud.js';
import type { DirectorClient } from '../director-client.js';

/** The agents of one service. */
export interface Fleet {
  /** The node's agent, alive: found, started again, or made. */
  ensure(node: ConpaasNode): Promise<AgentClient>;
  /** The agent as it was seen last; undefined: not seen since this manager was opened. */
  known(nodeId: string): AgentClient | undefined;
  /** Ends agent and application and removes what they had on disk. Not there: done. */
  end(node: ConpaasNode): Promise<void>;
  close(): void;
}

export interface FleetOptions {
  service: ConpaasService;
  cloud: Cloud;
  director: DirectorClient;
  addresses: AddressBook;
  credential: Credential;
  authority: string;
}

export function createFleet({ service, cloud, director, addresses, credential, authority }: FleetOptions): Fleet {
  const { sid, uid, type } = service;
  const clients = new Map<string, { client: AgentClient; at: string }>();

  /** Its key is made here and never leaves this host; the Director sees the request alone. */
  async function make(node: ConpaasNode): Promise<CloudInstance> {
    const { request, key } = await createRequest({
      role: 'agent',
      uid,
      serviceLocator: sid,
      commonName: `agent-${node.nodeId}`,
      organisation: 'ConPaaS',
    });
    const certificate = await director.signRequest(request);
    const address = addresses.nodeAddress(node);
    return await cloud.newInstance({
      agentId: node.nodeId,
      uid,
      sid,
      type,
      owner: sid,
      address,
      credential: { certificate, key },
      authority,
    });
  }

  function clientFor({ agentId, address }: CloudInstance): AgentClient {
    if (!address) throw new Error(`The agent ${agentId} has no address.`);
    const at = `${address.host} ${address.port}`;
    const known = clients.get(agentId);
    if (known?.at === at) return known.client;
    known?.client.close();
    const client = createAgentClient({ address, credential, authority, uid, sid });
    clients.set(agentId, { client, at });
    return client;
  }

  return {
    async ensure(node) {
      const instances = await cloud.list();
      const found = instances.find(({ agentId }) => agentId === node.nodeId);
      if (found?.alive) return clientFor(found);
      return clientFor(found ? await cloud.revive(node.nodeId) : await make(node));
    },
    known: (nodeId) => clients.get(nodeId)?.client,
    async end(node) {
      const client = clients.get(node.nodeId)?.client;
      await client?.end().catch(() => undefined);
      client?.close();
      clients.delete(node.nodeId);
      await cloud.kill(node.nodeId);
    },
    close() {
      for (const { client } of clients.values()) client.close();
      clients.clear();
    },
  };
}
