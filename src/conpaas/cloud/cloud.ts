import type { ServiceType } from '../../domain/conpaas.js';
import type { Address } from '../agent/protocol.js';
import type { Credential } from '../certificates.js';

/** Where agents come from. `local` is the one implementation: agents as processes of this machine. */
export interface Cloud {
  /** As in `/available_clouds`. */
  readonly name: string;
  /**
   * Starts an agent and resolves when it listens. One of that id is there: it is returned, alive; a dead one is started again on the
   * same address with the same folder and the given credential. Rejects with Fault ServiceUnavailable when it does not come up, and leaves no process behind.
   */
  newInstance(request: InstanceRequest): Promise<CloudInstance>;
  /** Starts an agent that died (reboot, container restart, SIGKILL) again; it brings its application back by itself. */
  revive(agentId: string): Promise<CloudInstance>;
  /** Ends agent and application; their folders wait for newInstance or revive. Not there: done. */
  halt(agentId: string): Promise<void>;
  /** Ends agent and application, removes their folders. Not there: done. */
  kill(agentId: string): Promise<void>;
  /** Every agent that has a folder, dead or alive, whether the store knows it or not. */
  list(): Promise<CloudInstance[]>;
}

export interface InstanceRequest {
  /** Known before it exists: the node's id, e.g. `iaas4`. Unique in the data directory. */
  agentId: string;
  uid: number;
  sid: number;
  type: ServiceType;
  /**
   * Whom uploaded code is kept apart from others by: agents of one number share a Unix id. Absent: the user. Services of the gateway's
   * own user belong to different tenants.
   */
  owner?: number;
  /** The node's own address; null: 127.0.0.1. */
  address: string | null;
  /** Certificate (role agent, the service's uid and sid) and its key. */
  credential: Credential;
  /** PEM. */
  authority: string;
}

export interface CloudInstance {
  agentId: string;
  uid: number;
  sid: number;
  type: ServiceType;
  alive: boolean;
  /** Where it listens for its manager; absent while it is dead. */
  address?: Address;
  /** Newest version of the protocol that it speaks, and the oldest; absent while it is dead. */
  protocol?: number;
  oldestProtocol?: number;
}
