import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { originOf } from './address.js';
import { createApp } from './app.js';
import { tell } from './exchange.js';
import { type KeptAnswer, keyOf, sendable } from './kept-answers.js';
import { isMatch } from './match.js';
import { createMemory, type Memory } from './memory.js';
import type { AppOptions } from './options.js';

/**
 * The COAPS API as a listener. A request whose caller is recognised and whose answer is kept is answered here; every other one goes
 * through the application, which remembers both for the next one.
 */
export function createListener(options: AppOptions): RequestListener {
  const memory = createMemory(options);
  const app = createApp(options, memory);
  if (!memory) return app;
  return (req, res) => {
    const started = performance.now();
    const found = mayBeKept(req) ? find(memory, options, req) : undefined;
    if (!found) return app(req, res);
    const requestId = randomUUID();
    const status = send(req, res, requestId, found);
    const { action, route, user, path } = found.about;
    const address = req.socket.remoteAddress ?? '';
    const duration = performance.now() - started;
    tell(options, {
      requestId,
      method: req.method as string,
      target: path,
      status,
      address,
      duration,
      kept: true,
      action,
      route,
      user,
    });
  };
}

function mayBeKept({ method, headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers['transfer-encoding'] === undefined &&
    headers['content-length'] === undefined &&
    headers.expect === undefined &&
    headers.host !== undefined &&
    (headers['cache-control'] === undefined || !/no-cache/i.test(headers['cache-control']))
  );
}

function find({ recognition, answers }: Memory, options: AppOptions, req: IncomingMessage): KeptAnswer | undefined {
  const principal = recognition.find(req);
  if (!principal) return undefined;
  const origin = originOf(req, options.publicUrl);
  return answers.find(keyOf(principal, origin, req.method as string, req.url as string, req.headers.accept));
}

function send(req: IncomingMessage, res: ServerResponse, requestId: string, answer: KeptAnswer): number {
  const { headers, etag } = answer;
  if (etag !== undefined && isMatch(req.headers['if-none-match'], etag)) {
    res.writeHead(304, ['X-Request-Id', requestId, ...withoutForm(headers)]);
    res.end();
    return 304;
  }
  res.writeHead(200, ['X-Request-Id', requestId, ...headers]);
  if (req.method === 'HEAD') res.end();
  else res.end(sendable(answer), 'latin1');
  return 200;
}

/** Of what is not sent, neither type nor length is told. */
function withoutForm(headers: readonly string[]): string[] {
  return headers.filter((_, index) => !/^content-/i.test(headers[index - (index % 2)] as string));
}
