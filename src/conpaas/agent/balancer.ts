import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { createProxyServer } from 'httpxy';
import type { Address } from './protocol.js';
import { until } from './wait.js';

/** One place that answers, with its open connections. */
export interface Backend {
  readonly address: Address;
  /** Requests that it has not answered to their end. */
  inFlight: number;
  /** Since when it does not answer; it is asked again after a while, or when no other is left. */
  downSince: number | undefined;
  readonly connections: Agent;
}

export interface Balancer {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface BalancerOptions {
  backends(): readonly Backend[];
  /** True where people connect: what they claim about forwarding is overwritten. False behind another agent's proxy. */
  first: boolean;
}

/** How long a backend that did not answer is left alone. */
const DOWN_MS = 2000;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function createBackend(address: Address): Backend {
  // Connections that the application may close at any moment are only used for requests that can be repeated.
  const connections = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 60_000 });
  return { address, inFlight: 0, downSince: undefined, connections };
}

/** Waits until it has answered everything, at most `ms`, and gives its connections back. */
export async function retireBackend(backend: Backend, ms: number): Promise<void> {
  await until(() => backend.inFlight === 0, ms, 25);
  backend.connections.destroy();
}

export function createBalancer({ backends, first }: BalancerOptions): Balancer {
  const proxy = createProxyServer({});
  proxy.on('proxyRes', (answer) => {
    // About the connection to the backend, not about the one to the client.
    delete answer.headers.connection;
    delete answer.headers['keep-alive'];
  });
  let turn = 0;

  /** One that was down is tried again with requests that can go elsewhere when it still is. */
  const pick = (tried: ReadonlySet<Backend>, repeatable: boolean): Backend | undefined => {
    const left = backends().filter((backend) => !tried.has(backend));
    const up = left.filter((backend) => backend.downSince === undefined || (repeatable && isRested(backend)));
    const candidates = up.length > 0 ? up : left;
    const least = Math.min(...candidates.map(({ inFlight }) => inFlight));
    const idle = candidates.filter(({ inFlight }) => inFlight === least);
    turn += 1;
    return idle[turn % Math.max(1, idle.length)];
  };

  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const repeatable = isRepeatable(request);
    const tried = new Set<Backend>();
    let again: Backend | undefined;
    for (;;) {
      const backend = again ?? pick(tried, repeatable);
      if (!backend) return unavailable(response, first, tried.size > 0);
      const fresh = !repeatable || again !== undefined;
      try {
        await send(backend, request, response, fresh, repeatable);
        backend.downSince = undefined;
        return;
      } catch (error) {
        if (response.headersSent || response.destroyed) return void response.destroy();
        // A kept connection may have been closed under the request; a fresh one tells whether the backend is there.
        again = fresh || !isReset(error) ? undefined : backend;
        if (again) continue;
        backend.downSince = Date.now();
        // Of its body a part may be gone.
        if (!repeatable) return unavailable(response, first, true);
        tried.add(backend);
      }
    }
  };

  const send = async (
    backend: Backend,
    request: IncomingMessage,
    response: ServerResponse,
    fresh: boolean,
    empty: boolean,
  ): Promise<void> => {
    backend.inFlight += 1;
    try {
      await proxy.web(request, response, {
        target: targetOf(backend),
        agent: fresh ? false : backend.connections,
        // Its body was read to the end by the first attempt: a second one would wait for it for ever.
        ...(empty && { buffer: Readable.from([]) }),
      });
    } finally {
      backend.inFlight -= 1;
    }
  };

  return {
    request: (request, response) => {
      if (first) tellForwarding(request);
      response.on('error', () => response.destroy());
      forward(request, response).catch(() => response.destroy());
    },
    upgrade: (request, socket, head) => {
      if (first) tellForwarding(request);
      socket.on('error', () => socket.destroy());
      const backend = pick(new Set(), false);
      if (!backend) return socket.destroy();
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') return tunnel(backend, request, socket, head);
      proxy
        .ws(request, socket as Socket, { target: targetOf(backend), agent: false }, head)
        .catch(() => socket.destroy());
    },
  };
}

function isRested({ downSince = 0 }: Backend): boolean {
  return Date.now() - downSince > DOWN_MS;
}

function isReset(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function isRepeatable({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return SAFE_METHODS.has(method ?? '') && !hasBody;
}

/** Not as a URL: there an IPv6 address has brackets, which no connection takes. */
function targetOf({ address }: Backend) {
  return { protocol: 'http:', host: address.host, port: address.port };
}

/** Overwrites what a client says of itself, so that an application may believe it. */
function tellForwarding(request: IncomingMessage): void {
  const { headers, socket } = request;
  const client = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  delete headers['forwarded'];
  headers['x-forwarded-for'] = client;
  headers['x-real-ip'] = client;
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-port'] = String(socket.localPort ?? '');
  headers['x-forwarded-host'] = headers.host ?? '';
}

/** In front of people an answer; behind another proxy a reset, which tells it to go elsewhere. */
function unavailable(response: ServerResponse, first: boolean, wasTried: boolean): void {
  if (!first) return void response.socket?.resetAndDestroy();
  response.shouldKeepAlive = false;
  response.writeHead(wasTried ? 502 : 503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '5' });
  response.end(wasTried ? 'The application does not answer.\n' : 'The application is not running.\n');
}

/**
 * An upgrade to anything but WebSocket (HTTP/2 by Java's client, mostly) is not taken: the request goes on without it, byte by byte,
 * because Node's parser has already let go of the connection.
 */
function tunnel(backend: Backend, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const dropped = new Set(['upgrade', 'http2-settings', 'connection']);
  const lines = Object.entries(request.headers).flatMap(([name, value]) =>
    dropped.has(name) || value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`),
  );
  const start = `${request.method} ${request.url} HTTP/1.1`;
  const upstream = connect(backend.address.port, backend.address.host, () => {
    upstream.write(`${[start, ...lines, 'connection: close'].join('\r\n')}\r\n\r\n`, 'latin1');
    upstream.write(head);
    socket.pipe(upstream).pipe(socket);
  });
  backend.inFlight += 1;
  upstream.on('error', () => socket.destroy());
  upstream.on('close', () => {
    backend.inFlight -= 1;
    socket.destroy();
  });
  socket.on('close', () => upstream.destroy());
}
