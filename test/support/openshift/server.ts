import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ApiParts, answerTo } from './api.js';
import { authorize } from './oauth.js';
import type { Json } from './objects.js';
import { Refusal, status, unauthorized } from './refusals.js';
import { parsePath, type Request, readBody, WRITTEN } from './request.js';
import { groupList, resourceList, VERSION } from './reviews.js';
import { forbiddenPath } from './users.js';

/** What a test sees of each request, and may do to it. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  user: string | undefined;
  /** Once the server has read it: not of an upload. */
  body?: string;
}

/** What a test does instead of the server: an answer, a cut, a wait before the answer. */
export type Interference =
  | { code: number; body?: Json | string; headers?: Record<string, string> }
  | 'cut'
  /** The work is done, and its answer is lost. */
  | 'cut-after'
  | { wait: number };

export interface ServerOptionsOfTest {
  tokens: Map<string, string>;
  passwords: Map<string, string>;
  /** User of a client certificate, by its common name. */
  certificateUsers: boolean;
  tls?: ServerOptions;
  interfere(seen: Seen): Interference | undefined;
  answered(seen: Seen, code: number, body: unknown): void;
}

export interface ApiServer {
  url: string;
  /** How many were ever opened. */
  connections(): number;
  cutAll(): void;
  close(): Promise<void>;
}

export async function startServer(parts: ApiParts, options: ServerOptionsOfTest): Promise<ApiServer> {
  const handle = (incoming: IncomingMessage, response: ServerResponse) => {
    void respond(incoming, response).catch(() => response.destroy());
  };
  const server = options.tls
    ? createSecureServer({ ...options.tls, requestCert: true, rejectUnauthorized: false }, handle)
    : createServer(handle);
  // Uploads wait for their build.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on('connection', (socket: Socket) => {
    opened += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://server');
    const user = userOf(incoming);
    const seen: Seen = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      user,
    };
    const interference = options.interfere(seen);
    if (interference === 'cut') return void incoming.socket.destroy();
    if (typeof interference === 'object' && 'wait' in interference)
      await new Promise((resolve) => setTimeout(resolve, interference.wait).unref());
    if (typeof interference === 'object' && 'code' in interference) {
      const { code, body = '', headers = {} } = interference;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      options.answered(seen, code, body);
      response
        .writeHead(code, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers })
        .end(text);
      return;
    }
    if (url.pathname === '/oauth/authorize') return authorize(incoming, response, url.searchParams, tokenOf);
    try {
      const answer = await dispatch(incoming, response, url, user);
      noteBody(incoming, seen);
      if (answer === WRITTEN) return options.answered(seen, response.statusCode, undefined);
      options.answered(seen, answer.code, answer.body);
      if (interference === 'cut-after') return void incoming.socket.destroy();
      write(response, answer.code, answer.body, answer.headers);
    } catch (error) {
      const refusal =
        error instanceof Refusal
          ? error
          : status(500, 'InternalError', `Internal error occurred: ${error instanceof Error ? error.stack : error}`);
      noteBody(incoming, seen);
      options.answered(seen, refusal.code, refusal.body);
      if (response.headersSent) return void response.destroy();
      write(response, refusal.code, refusal.body, refusal.headers);
      // A refused upload is not read to its end.
      if (!incoming.complete) incoming.resume();
    }
  }

  async function dispatch(incoming: IncomingMessage, response: ServerResponse, url: URL, user: string | undefined) {
    if (user === undefined) throw unauthorized();
    if (url.pathname === '/version') return { code: 200, body: VERSION };
    if (url.pathname === '/apis') return { code: 200, body: groupList() };
    const group = /^\/apis\/([^/]+)\/([^/]+)$/.exec(url.pathname);
    if (group) {
      const found = resourceList(group[1] ?? '', group[2] ?? '');
      if (found) return { code: 200, body: found };
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
      return WRITTEN;
    }
    const parsed = parsePath(url.pathname);
    const method = incoming.method ?? 'GET';
    if (!parsed) throw forbiddenPath(user, method.toLowerCase(), url.pathname);
    const request: Request = {
      method,
      path: url.pathname,
      query: url.searchParams,
      user,
      incoming,
      response,
      ...parsed,
    };
    return answerTo(parts, request);
  }

  function userOf(incoming: IncomingMessage): string | undefined {
    const header = incoming.headers.authorization;
    if (header !== undefined) return options.tokens.get(/^Bearer (.*)$/.exec(header)?.[1] ?? '');
    if (options.certificateUsers) {
      const socket = incoming.socket as TLSSocket;
      const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
      if (typeof name === 'string') return name;
    }
    return 'system:anonymous';
  }

  function tokenOf(user: string, password: string): string | undefined {
    if (options.passwords.get(user) !== password) return undefined;
    return [...options.tokens].find(([, name]) => name === user)?.[0];
  }

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    connections: () => opened,
    cutAll() {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function noteBody(incoming: IncomingMessage, seen: Seen): void {
  const text = readBody(incoming);
  if (text !== undefined) seen.body = text;
}

function write(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
