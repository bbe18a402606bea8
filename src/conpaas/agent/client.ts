import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Readable } from 'node:stream';
import { json as parse } from 'node:stream/consumers';
import { createSecureContext } from 'node:tls';
import type { Credential } from '../certificates.js';
import { certificateSubject } from '../peer.js';
import { AgentError } from './agent-error.js';
import type {
  Address,
  AgentErrorBody,
  AgentStatus,
  DesiredApplication,
  OutputPart,
  ProxyTask,
  ScriptCommand,
  ScriptTask,
} from './protocol.js';

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
  /** Takes up the scripts of a generic service; `init.sh` may still run when it resolves. */
  scripts(task: ScriptTask, signal?: AbortSignal): Promise<AgentStatus>;
  /** Begins a script, in the background. `rejected` while another one runs. */
  execute(command: ScriptCommand, parameters: string): Promise<AgentStatus>;
  /** Every database of a mysql agent's server, as SQL; the stream breaks off when it is not whole. */
  dump(signal?: AbortSignal): Promise<Readable>;
  /** Carries SQL out on a mysql agent's server. `failed` has the server's words. */
  loadDump(open: () => Readable, signal?: AbortSignal): Promise<void>;
  /** The application's output, oldest first; with `follow` open until the signal aborts. */
  logs(options: { lines: number; follow: boolean; part?: OutputPart; signal?: AbortSignal }): Promise<Readable>;
  /** A new certificate for the agent, for new connections. */
  renew(credential: Credential): Promise<void>;
  /** Ends the application and the agent. Its folder stays: Cloud.kill removes it. */
  end(): Promise<void>;
  /** Gives connections back. */
  close(): void;
}

/** Milliseconds for what an agent answers from memory. */
const SHORT = 15_000;

export function createAgentClient(options: AgentClientOptions): AgentClient {
  const { uid, sid, credential, authority, address } = options;
  const connections = new Agent({
    keepAlive: true,
    timeout: 60_000,
    // Once for all connections: reading certificates and keys costs more than a handshake.
    secureContext: createSecureContext({ cert: credential.certificate, key: credential.key, ca: authority }),
    // Agents have no host names; what counts is that our authority made it an agent of this very service.
    checkServerIdentity: (_host, certificate) => {
      const peer = certificateSubject(certificate);
      const isOurs = peer?.role === 'agent' && peer.uid === uid && peer.serviceLocator === sid;
      return isOurs ? undefined : new AgentError('unauthorized', 'The peer is no agent of this service.');
    },
  });
  const call = (method: string, path: string, more: CallOptions = {}) =>
    send({ ...address, method, path, connections, ...more });
  const ask = async <T>(method: string, path: string, more?: CallOptions) =>
    (await readJson(await call(method, path, more))) as T;

  return {
    status: (signal) => ask('GET', '/v1/status', { limit: SHORT, ...(signal && { signal }) }),
    sendCode: async (codeVersionId, open, signal) => {
      const { code } = await ask<AgentStatus>('GET', '/v1/status', { limit: SHORT });
      if (code.includes(codeVersionId)) return;
      await ask('PUT', `/v1/code/${encodeURIComponent(codeVersionId)}`, { body: open(), ...(signal && { signal }) });
    },
    deleteCode: async (codeVersionId) => {
      await ask('DELETE', `/v1/code/${encodeURIComponent(codeVersionId)}`);
    },
    apply: (desired, signal) => ask('PUT', '/v1/application', { json: desired, ...(signal && { signal }) }),
    proxy: (task) => ask('PUT', '/v1/proxy', { json: task, limit: 4 * SHORT }),
    scripts: (task, signal) => ask('PUT', '/v1/scripts', { json: task, ...(signal && { signal }) }),
    execute: (command, parameters) => ask('POST', `/v1/scripts/${command}`, { json: { parameters }, limit: 4 * SHORT }),
    logs: ({ lines, follow, part, signal }) =>
      call('GET', `/v1/logs?lines=${lines}&follow=${follow}&part=${part ?? ''}`, signal ? { signal } : {}),
    dump: (signal) => call('GET', '/v1/dump', signal ? { signal } : {}),
    loadDump: async (open, signal) => {
      await ask('PUT', '/v1/dump', { body: open(), ...(signal && { signal }) });
    },
    renew: async (renewed) => {
      await ask('PUT', '/v1/credential', { json: renewed, limit: SHORT });
    },
    end: async () => {
      await ask('POST', '/v1/end', { limit: SHORT });
    },
    close: () => connections.destroy(),
  };
}

interface CallOptions {
  json?: unknown;
  body?: Readable;
  signal?: AbortSignal;
  /** Milliseconds until the answer begins. */
  limit?: number;
}

interface Call extends CallOptions, Address {
  method: string;
  path: string;
  connections: Agent;
}

/** Resolves to the answer when it is 2xx. */
function send(call: Call): Promise<IncomingMessage> {
  const { host, port, method, path, connections, json, body, signal, limit } = call;
  const text = json === undefined ? undefined : JSON.stringify(json);
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      body?.destroy();
      if (signal?.aborted) return reject(signal.reason);
      reject(
        cause instanceof AgentError
          ? cause
          : new AgentError('unreachable', `The agent at ${host} port ${port} does not answer.`, { cause }),
      );
    };
    const outgoing = request({
      host,
      port,
      method,
      path,
      agent: connections,
      ...(signal && { signal }),
      headers:
        text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
    });
    const timer =
      limit === undefined ? undefined : setTimeout(() => outgoing.destroy(new Error('time is over')), limit);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', (error) => {
      // The agent closed a kept connection under the request. Every request may be repeated; a stream of code cannot be, and has a
      // fresh connection in practice.
      if (outgoing.reusedSocket && !body && !signal?.aborted) resolve(send(call));
      else fail(error);
    });
    outgoing.on('response', (response) => {
      clearTimeout(timer);
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) return resolve(response);
      body?.destroy();
      readJson(response).then((value) => reject(errorOf(value)), fail);
    });
    if (body) {
      body.on('error', (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    } else {
      outgoing.end(text);
    }
  });
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  return await parse(response).catch((cause: unknown) => {
    throw new AgentError('unreachable', 'The agent broke off its answer.', { cause });
  });
}

function errorOf(value: unknown): AgentError {
  const { kind, message, ...rest } = (value as AgentErrorBody).error;
  return new AgentError(kind, message, rest);
}
