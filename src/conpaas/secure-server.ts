import type { RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Credential } from './certificates.js';
import { isPassing } from './passing.js';
import { isAdmitted, type PeerRules } from './peer.js';

export interface SecureServerOptions {
  credential: Credential;
  /** PEM of the authority whose certificates peers may present. */
  authority: string;
  peers: PeerRules;
  handler: RequestListener;
}

export interface SecureServer {
  /** Resolves to the port. Rejects with Node's own error (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  listen(host: string, port: number): Promise<number>;
  /** For new connections, after a renewal. */
  use(credential: Credential): void;
  /** Ends open connections too. */
  close(): Promise<void>;
}

/** Seconds for a TLS handshake, and for the head of a request. */
const HANDSHAKE_LIMIT = 10_000;

/** HTTPS that asks for a client certificate without demanding it, and turns bad ones away before a byte of HTTP is read. */
export function createSecureServer({ credential, authority, peers, handler }: SecureServerOptions): SecureServer {
  /** Who they are could not be looked up: they are told to come again, instead of being turned away like revoked ones. */
  const undecided = new WeakSet<object>();
  const context = (current: Credential) => ({ cert: current.certificate, key: current.key, ca: authority });
  const server = createServer(
    {
      ...context(credential),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_LIMIT,
      headersTimeout: HANDSHAKE_LIMIT,
      keepAlive: false,
    },
    (request, response) => (undecided.has(request.socket) ? putOff(response) : handler(request, response)),
  );
  const waiting = admitFirst(server, peers, undecided);
  return {
    listen: async (host, port) => {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    },
    use: (renewed) => server.setSecureContext(context(renewed)),
    close: async () => {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of waiting) socket.destroy();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Puts the peer check between TLS and Node's own HTTP listener, which would read at once. Returns the sockets being checked. */
function admitFirst(server: Server, peers: PeerRules, undecided: WeakSet<object>): Set<TLSSocket> {
  const waiting = new Set<TLSSocket>();
  const serve = server.listeners('secureConnection') as ((this: Server, socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    const discard = () => socket.destroy();
    socket.on('error', discard);
    waiting.add(socket);
    isAdmitted(socket, peers)
      .catch((error: unknown) => {
        if (!isPassing(error)) throw error;
        undecided.add(socket);
        return true;
      })
      .then((admitted) => {
        if (!admitted || socket.destroyed) return discard();
        socket.off('error', discard);
        for (const listener of serve) listener.call(server, socket);
      })
      .catch(discard)
      .finally(() => waiting.delete(socket));
  });
  return waiting;
}

function putOff(response: ServerResponse): void {
  const headers = { 'Retry-After': '5', Connection: 'close', 'Content-Type': 'text/plain; charset=utf-8' };
  response.writeHead(503, headers).end('The store of certificates is away; try again.');
}
