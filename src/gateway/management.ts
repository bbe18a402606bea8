import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Health and metrics, on a port of their own: they need no credentials and belong to the operator. */
export interface Management {
  handler: RequestListener;
  /** Called for each request of the API that has ended. */
  observe(request: { action?: string; method: string; status: number; duration: number }): void;
}

/** `healthy` looks at what the gateway cannot work without; it rejects when that is gone. */
export function createManagement(healthy: () => Promise<void>): Management {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'coaps_request_duration_seconds',
    help: 'Requests of the API by action, method and status.',
    labelNames: ['action', 'method', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: [registry],
  });
  return {
    handler: (request, response) => {
      answer(request, registry, healthy).then(
        ({ status, type, body }) => end(response, status, type, body),
        () => end(response, 500, 'text/plain', 'The answer could not be made.\n'),
      );
    },
    observe: ({ action, method, status, duration }) =>
      requests.observe({ action: action ?? '', method, status: String(status) }, duration / 1000),
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

async function answer(
  { method, url }: IncomingMessage,
  registry: Registry,
  healthy: () => Promise<void>,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'GET only.\n' };
  switch (url?.split('?')[0]) {
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    case '/health':
      return await healthy().then(
        () => ({ status: 200, type: 'application/json', body: '{"status":"ok"}\n' }),
        () => ({ status: 503, type: 'application/json', body: '{"status":"the store cannot be reached"}\n' }),
      );
    default:
      return { status: 404, type: 'text/plain', body: 'Here are /health and /metrics.\n' };
  }
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
