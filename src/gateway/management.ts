import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Metrics } from './metrics.js';

/** How the gateway is, as load balancers and supervisors ask. */
export interface Health {
  /** Rejects when what the gateway cannot work without is gone. */
  check(): Promise<void>;
  /** From the end of the start to the beginning of the shutdown. */
  serving(): boolean;
}

/** Health and metrics, on a port of their own: they need no credentials and belong to the operator. */
export function createManagement(metrics: Metrics, health: Health): RequestListener {
  return (request, response) => {
    answer(request, metrics, health).then(
      (found) => end(response, found),
      () => end(response, { status: 500, type: 'text/plain', body: 'The answer could not be made.\n' }),
    );
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

async function answer({ method, url }: IncomingMessage, metrics: Metrics, health: Health): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'GET only.\n' };
  switch (url?.split('?')[0]) {
    case '/metrics':
      return { status: 200, type: metrics.type, body: await metrics.text() };
    case '/health/live':
      return status(200, 'ok');
    case '/health':
    case '/health/ready':
      return await readiness(health);
    default:
      return { status: 404, type: 'text/plain', body: 'Here are /health/live, /health/ready and /metrics.\n' };
  }
}

async function readiness({ check, serving }: Health): Promise<Answer> {
  if (!serving()) return status(503, 'starting or shutting down');
  return await check().then(
    () => status(200, 'ok'),
    () => status(503, 'the store cannot be reached'),
  );
}

function status(code: number, text: string): Answer {
  return { status: code, type: 'application/json', body: `${JSON.stringify({ status: text })}\n` };
}

function end(response: ServerResponse, { status: code, type, body }: Answer): void {
  response.writeHead(code, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(code === 405 && { Allow: 'GET, HEAD' }),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
