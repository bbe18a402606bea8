import { createHash } from 'node:crypto';
import type { Action } from '../api/action.js';
import type { PathValues } from '../api/lookup.js';
import type { Part } from '../domain/revisions.js';
import type { Exchange } from './exchange.js';
import { keyOf } from './kept-answers.js';
import type { Memory } from './memory.js';
import { isOfOneRequest } from './parameters.js';

/** The client may keep it too, and asks each time whether it still stands. */
export const REVALIDATE = 'private, no-cache';

/** An answer that depends on nothing but the request and the store. */
export interface Lasting {
  /** Keeps the answer for the next request of its kind, with the headers that are set now. Absent: it is made each time. */
  keep?(body: Buffer, etag?: string): void;
  /** Bytes of the largest answer that is kept. */
  largest: number;
}

/** `action`: what a GET of the path does. `since`: a moment before anything was read. */
export function lasting(
  memory: Memory | undefined,
  exchange: Exchange & { params: PathValues },
  since: number | undefined,
  action: Action | undefined,
): Lasting | undefined {
  const { req, res, principal, origin, target, route, params } = exchange;
  if (!action?.shows || !['GET', 'HEAD'].includes(req.method)) return undefined;
  const largest = memory?.answers.largest ?? 0;
  const once = target.query.some(([name]) => isOfOneRequest(name));
  if (!memory || largest === 0 || once || since === undefined || !principal || route === undefined)
    return { largest: 0 };
  const { name: user } = principal;
  const parts = action.shows.map(
    (shown): Part => (shown === 'application' ? `application:${params['appId'] as number}` : shown),
  );
  return {
    largest,
    keep(body, etag) {
      const names = res.getHeaderNames().filter((name) => !isOfThisAnswer(name, exchange));
      const headers = names.flatMap((name) => [capitalised(name), String(res.getHeader(name))]);
      const form = req.method === 'HEAD' ? [] : ['Content-Length', String(body.length)];
      memory.answers.keep(keyOf(principal, origin, req.method, req.originalUrl, req.headers.accept), {
        headers: [...headers, ...form, ...(etag === undefined ? [] : ['ETag', etag])],
        ...(etag !== undefined && { etag }),
        body,
        parts: [...parts, `user:${user}`],
        since,
        about: { route, user, path: target.path, ...(exchange.action !== undefined && { action: exchange.action }) },
      });
    },
  };
}

function isOfThisAnswer(name: string, { outerHeaders }: Exchange): boolean {
  return ['x-request-id', 'content-length', 'etag'].includes(name) || outerHeaders.includes(name);
}

function capitalised(name: string): string {
  return name.replace(/\b[a-z]/g, (first) => first.toUpperCase());
}

export function etagOf(body: Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}
