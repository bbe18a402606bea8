import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config.js';
import { answerClientError } from '../http/client-error.js';
import type { Log } from './log.js';

export interface WebServer {
  /** Begins to listen; gives the address as a URL. Rejects when it cannot be had. */
  listen(): Promise<string>;
  /** Takes no more connections, lets what runs end within the seconds, then cuts. */
  close(seconds: number): Promise<void>;
}

export interface WebServerOptions {
  host: string;
  port: number;
  tls?: { cert?: string | undefined; key?: string | undefined };
  limits: Config['limits'];
  handler: RequestListener;
  log: Log;
}

/** An http or https server that slow, half-open and greedy clients cannot exhaust. */
export function createWebServer({ host, port, tls, limits, handler, log }: WebServerOptions): WebServer {
  const options = {
    headersTimeout: limits.headersTimeout * 1000,
    requestTimeout: limits.requestTimeout * 1000,
    keepAliveTimeout: limits.keepAlive * 1000,
    connectionsCheckingInterval: Math.min(5, limits.headersTimeout) * 1000,
    maxHeaderSize: limits.headers,
    // Without it Node answers by itself, with nothing in it.
    requireHostHeader: false,
  };
  const { cert, key } = tls ?? {};
  const secure = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  const read = () => ({ cert: readFileSync(secure?.cert ?? ''), key: readFileSync(secure?.key ?? '') });
  const server: Server | SecureServer = secure
    ? createSecureServer(
        { ...options, ...read(), minVersion: 'TLSv1.2', handshakeTimeout: options.headersTimeout },
        handler,
      )
    : createServer(options, handler);
  server.maxConnections = limits.connections;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    handler(request, response);
  });
  // Another expectation than 100-continue may be ignored (RFC 9110 §10.1.1); Node would answer 417 with nothing in it.
  server.on('checkExpectation', handler);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerClientError(error, socket, log));
  const stalled = cutStalledReaders(server, secure ? 'secureConnection' : 'connection', limits.stall);

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) => reject(addressFault(host, port, error)));
        server.listen(port, host, () => {
          if (secure) watchCertificate(server as SecureServer, secure, read, log);
          const { port: bound } = server.address() as AddressInfo;
          resolve(`${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`);
        });
      }),
    close: (seconds) =>
      new Promise((resolve) => {
        if (secure) for (const file of Object.values(secure)) unwatchFile(file);
        if (!server.listening) return resolve();
        const patience = setTimeout(() => server.closeAllConnections(), seconds * 1000);
        // A connection whose request ends during the shutdown becomes idle, and would stay for its keep-alive time.
        const idle = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearInterval(stalled);
          clearTimeout(patience);
          clearInterval(idle);
          resolve();
        });
      }),
  };
}

/** Ends connections whose clients take no byte of an answer that waits for them. */
function cutStalledReaders(server: Server | SecureServer, event: string, seconds: number): NodeJS.Timeout {
  const sockets = new Set<Socket>();
  /** What each had taken at the last look, when more waited for it. */
  let before = new Map<Socket, number>();
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const look = () => {
    const now = new Map<Socket, number>();
    for (const socket of sockets) {
      if (socket.writableLength === 0) continue;
      const taken = socket.bytesWritten - socket.writableLength;
      if (before.get(socket) === taken) socket.destroy();
      now.set(socket, taken);
    }
    before = now;
  };
  return setInterval(look, seconds * 1000).unref();
}

/**
 * `Expect: 100-continue` is answered when the body is first asked for, so that a refused request (a wrong password, a file that is too
 * large) costs no upload. Refused before, the connection ends: nobody knows whether the body comes nevertheless.
 */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  const proceed = (event: string | symbol) => {
    if ((event !== 'data' && event !== 'readable') || response.headersSent) return;
    request.off('newListener', proceed);
    response.removeHeader('Connection');
    response.writeContinue();
  };
  request.on('newListener', proceed);
}

function watchCertificate(
  server: SecureServer,
  files: { cert: string; key: string },
  read: () => object,
  log: Log,
): void {
  const renew = () => {
    try {
      server.setSecureContext(read());
      log.info({ cert: files.cert }, 'The certificate was read again');
    } catch (error) {
      log.error({ err: error, cert: files.cert }, 'The new certificate cannot be used; the old one stays');
    }
  };
  // Certificate tools replace files or links to them: polling sees all of these.
  for (const file of Object.values(files)) watchFile(file, { interval: 5000, persistent: false }, renew);
}

/** The system's error as a sentence that says what to change. */
export class AddressFault extends Error {
  override readonly name = 'AddressFault';
}

function addressFault(host: string, port: number, error: NodeJS.ErrnoException): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another process listens there',
    EACCES: 'ports below 1024 need root or the capability cap_net_bind_service',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'the host is not known',
  };
  const reason = reasons[error.code ?? ''];
  return reason === undefined
    ? error
    : new AddressFault(`Cannot listen on ${host}:${port}: ${reason}.`, { cause: error });
}
