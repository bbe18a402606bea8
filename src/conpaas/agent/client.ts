import type { Readable } from 'node:stream';
import type { Credential } from '../certificates.js';
import type { Address, AgentStatus, DesiredApplication, ProxyTask } from './protocol.js';

export { AgentError } from './agent-error.js';

export interface AgentClientOptions {
  address: Address;
  /** The manager's. */
  credential: Credential;
  /** PEM of the authority that signed the agent's certificate. */
  authority: string;
  /** Whom the agent's certificate must name. */
  uid: number;
  sid: number;
}

/**
 * The manager's side of the protocol. Every method rejects with AgentError. A request that is cut off may have been carried out: all of
 * them may be repeated.
 */
export interface AgentClient {
  /** Any request claims the agent; this one does nothing else. */
  status(signal?: AbortSignal): Promise<AgentStatus>;
  /** Sends an archive (zip, tar, tar.gz, tar.bz2), which the agent unpacks. One of that id is there already: nothing is sent. */
  sendCode(codeVersionId: string, open: () => Readable, signal?: AbortSignal): Promise<void>;
  /** Not there: done. The serving one is refused. */
  deleteCode(codeVersionId: string): Promise<void>;
  /**
   * Brings the application to what is desired and resolves when it is there: running means that it answers HTTP. null: stopped and
   * forgotten. A running one is replaced without a failed request; when the new one fails, the old one serves on.
   */
  apply(desired: DesiredApplication | null, signal?: AbortSignal): Promise<AgentStatus>;
  /** Takes the proxy role, changes it, or gives it up (null). Open connections end when they are done. */
  proxy(task: ProxyTask | null): Promise<AgentStatus>;
  /** The application's output, oldest first; with `follow` open until the signal aborts. */
  logs(options: { lines: number; follow: boolean; signal?: AbortSignal }): Promise<Readable>;
  /** A new certificate for the agent, for new connections. */
  renew(credential: Credential): Promise<void>;
  /** Ends the application and the agent. Its folder stays: Cloud.kill removes it. */
  end(): Promise<void>;
  /** Gives connections back. */
  close(): void;
}

export declare function createAgentClient(options: AgentClientOptions): AgentClient;
