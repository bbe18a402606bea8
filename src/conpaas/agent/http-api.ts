import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Credential } from '../certificates.js';
import type { RunningAgent } from './agent.js';
import { AgentError } from './agent-error.js';
import {
  type AgentErrorBody,
  type DesiredApplication,
  ERROR_STATUS,
  type OutputPart,
  type ProxyTask,
  SCRIPT_COMMANDS,
  type ScriptTask,
} from './protocol.js';

export interface AgentApiOptions {
  agent: RunningAgent;
  /** Called for every request: its manager is there. */
  onRequest(): void;
  renew(credential: Credential): Promise<void>;
  /** Ends the process; called after the answer is out. */
  end(): void;
}

interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  /** Decoded rest of the path. */
  id: string;
  query: URLSearchParams;
}

const PARTS: readonly OutputPart[] = ['out', 'err'];

type Operation = (call: Call) => Promise<unknown>;

/** The wire of protocol.ts. Whoever comes this far has shown the certificate of the agent's manager. */
export function createAgentApi(options: AgentApiOptions): RequestListener {
  const operations = operationsOf(options);
  const carryOut = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://agent');
    const [, version, name = '', id = ''] = pathname.split('/');
    const operation = version === 'v1' ? operations[`${request.method} ${name}`] : undefined;
    if (operation) return await operation({ request, response, id: decodeURIComponent(id), query });
    throw new AgentError('rejected', `This agent knows no ${request.method} ${pathname}.`);
  };
  return (request, response) => {
    options.onRequest();
    carryOut(request, response)
      .then((value) => {
        if (!response.headersSent) answer(response, 200, value ?? {});
      })
      .catch((error: unknown) => fail(request, response, error));
  };
}

function operationsOf({ agent, renew, end }: AgentApiOptions): Record<string, Operation> {
  return {
    'GET status': () => agent.status(),
    'PUT code': ({ request, id }) => agent.receiveCode(id, request),
    'DELETE code': ({ id }) => agent.deleteCode(id),
    'PUT application': async ({ request }) => {
      await agent.apply((await json(request)) as DesiredApplication | null);
      return agent.status();
    },
    'PUT proxy': async ({ request }) => {
      await agent.proxy((await json(request)) as ProxyTask | null);
      return agent.status();
    },
    'PUT scripts': async ({ request }) => {
      await agent.scripts.activate((await json(request)) as ScriptTask);
      return agent.status();
    },
    'POST scripts': async ({ request, id }) => {
      const command = SCRIPT_COMMANDS.find((known) => known === id);
      if (!command) throw new AgentError('rejected', `There is no command ${id}.`);
      await agent.scripts.execute(command, ((await json(request)) as { parameters: string }).parameters);
      return agent.status();
    },
    'GET dump': async ({ response }) => {
      const dump = databaseOf(agent).dump();
      response.writeHead(200, { 'Content-Type': 'application/sql' });
      // Broken off when it is not whole.
      await pipeline(dump, response).catch((error: Error) => console.error(error.message));
    },
    'PUT dump': ({ request }) => databaseOf(agent).load(request),
    'GET logs': async ({ response, query }) => {
      response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.flushHeaders();
      const part = PARTS.find((known) => known === query.get('part'));
      const lines = agent.logs(Number(query.get('lines') ?? 100), query.get('follow') === 'true', part);
      await pipeline(lines, response).catch(() => {
        // The reader went away.
      });
    },
    'PUT credential': async ({ request }) => renew((await json(request)) as Credential),
    'POST end': async ({ response }) => {
      response.on('close', end);
    },
  };
}

function databaseOf({ database }: RunningAgent): NonNullable<RunningAgent['database']> {
  if (database) return database;
  throw new AgentError('rejected', 'This agent has no database.');
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  // The rest of an upload is not wanted any more.
  request.resume();
  if (error instanceof AgentError && error.kind in ERROR_STATUS) {
    const { kind, message, lastLines, archive } = error;
    const body: AgentErrorBody = { error: { kind, message, lastLines, ...(archive !== undefined && { archive }) } };
    answer(response, ERROR_STATUS[kind as keyof typeof ERROR_STATUS], body);
  } else {
    console.error(error);
    const body: AgentErrorBody = { error: { kind: 'internal', message: 'The agent failed; its log says why.' } };
    answer(response, ERROR_STATUS.internal, body);
  }
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body);
}
