import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { Fault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';
import { originOf, readTarget, type Target } from './address.js';
import type { Lasting } from './keeping.js';
import type { AppOptions, Base, RequestEvent } from './options.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** One request on its way through. */
export interface Exchange {
  req: Request;
  res: Response;
  requestId: string;
  target: Target;
  /** Scheme, host and port of every href. */
  origin: string;
  /** The base under which it came, and the rest of its path. */
  base: Base;
  path: string;
  /** Aborts when the client has gone before its answer. */
  signal: AbortSignal;
  principal?: Principal;
  action?: string;
  route?: string;
  /** In which form the answer goes out. */
  format: 'xml' | 'json';
  /** Names of headers that others have set on each answer. */
  outerHeaders: readonly string[];
  /** Set for an answer that may be kept, here or by the client. */
  lasting?: Lasting;
}

export function openExchange(req: Request, res: Response, options: AppOptions): Exchange {
  const requestId = randomUUID();
  const started = performance.now();
  const controller = new AbortController();
  const outerHeaders = res.getHeaderNames();
  res.setHeader('X-Request-Id', requestId);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) res.setHeader(name, value);
  const exchange: Exchange = {
    req,
    res,
    requestId,
    target: { path: '/', query: [] },
    origin: originOf(req, options.publicUrl),
    base: { path: '' },
    path: '/',
    signal: controller.signal,
    format: 'xml',
    outerHeaders,
  };
  res.once('close', () => {
    const finished = res.writableFinished;
    if (!finished) controller.abort(new Fault('ServiceUnavailable', 'The client has gone.'));
    tell(options, {
      requestId,
      method: req.method,
      target: exchange.target.path,
      status: finished || res.headersSent ? res.statusCode : 0,
      address: req.socket.remoteAddress ?? '',
      duration: performance.now() - started,
      ...(exchange.action && { action: exchange.action }),
      ...(exchange.route && { route: exchange.route }),
      ...(exchange.principal && { user: exchange.principal.name }),
    });
  });
  return exchange;
}

/** A listener's fault is its own: the process lives on. */
export function tell({ onRequest, log }: AppOptions, event: RequestEvent): void {
  try {
    onRequest?.(event);
  } catch (err) {
    log.error({ err, requestId: event.requestId }, 'A request could not be told to the audit or the metrics');
  }
}

/** Fills in what the request's line says. Throws Fault for a line that cannot be read, `NotFound` outside of every base. */
export function readLine(exchange: Exchange, bases: readonly Base[]): void {
  exchange.target = readTarget(exchange.req.originalUrl);
  const { path } = exchange.target;
  const base = bases
    .filter((one) => path === one.path || path.startsWith(`${one.path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (base) {
    exchange.base = base;
    exchange.path = path.slice(base.path.length) || '/';
    return;
  }
  // §6 puts the WADL beside `rest`, not into it.
  const beside = bases.find((one) => /^\/[^/]+\/rest$/.test(one.path) && path === one.path.replace(/rest$/, WADL));
  if (!beside)
    throw new Fault('NotFound', `Nothing is at this path. The API is at ${bases.map((one) => one.path).join(', ')}.`);
  exchange.base = beside;
  exchange.path = `/${WADL}`;
}

const WADL = 'application.wadl';

/** The absolute address of a path relative to the base. */
export function hrefOf({ origin, base }: Exchange, path: string): string {
  return origin + base.path + (path === '/' ? '' : path);
}
