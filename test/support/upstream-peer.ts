import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createUpstream, type Upstream, type UpstreamError, type UpstreamSettings } from '../../adapters/upstream.js';

export type Answer = (request: IncomingMessage, response: ServerResponse, attempt: number) => unknown;

/** Servers and upstreams of one test, closed after it. */
export interface Peers {
  /** A server that answers the n-th request with the n-th answer, and the last one from then on. */
  serve(...answers: Answer[]): Promise<{ url: string; seen: string[]; stop: () => Promise<void> }>;
  listen(server: Server): Promise<{ url: string; stop: () => Promise<void> }>;
  open(baseUrl: string, changes?: Partial<UpstreamSettings>): Upstream;
  close(): Promise<void>;
}

export function createPeers(): Peers {
  const closing: (() => unknown)[] = [];
  async function listen(server: Server) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stop = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    closing.push(stop);
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
  }
  return {
    listen,
    async serve(...answers) {
      const seen: string[] = [];
      const server = createServer((request, response) => {
        seen.push(`${request.method} ${request.url}`);
        void answers[Math.min(seen.length, answers.length) - 1]?.(request, response, seen.length);
      });
      return { ...(await listen(server)), seen };
    },
    open(baseUrl, changes = {}) {
      const times = { requestTimeout: 2000, patience: 2000, firstPause: 2 };
      const upstream = createUpstream({ name: 'The platform', baseUrl, ...times, ...changes });
      closing.push(() => upstream.close());
      return upstream;
    },
    async close() {
      for (const close of closing.splice(0)) await close();
    },
  };
}

export const good: Answer = (_, response) => response.end('{"good":true}');

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => response.writeHead(code, headers).end('{"error":"no"}');
}

export const cut: Answer = (request) => request.socket.destroy();

/** The error that the work ends with; it must. */
export function failure(work: Promise<unknown>): Promise<UpstreamError> {
  return work.then(
    () => {
      throw new Error('it went well');
    },
    (error: UpstreamError) => error,
  );
}
