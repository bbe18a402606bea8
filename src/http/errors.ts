import { JSON_TYPE, XML_TYPE } from '../api/media.js';
import { Fault, isFault } from '../domain/errors.js';
import { writeJson } from '../representations/json.js';
import { errorRecord, errorShape } from '../representations/message.js';
import { writeXml } from '../representations/xml.js';
import { CHALLENGE } from './basic.js';
import type { Exchange } from './exchange.js';
import type { Log } from './options.js';

/** The one renderer of errors. What is no Fault becomes `Internal Failure`, told in the log and to nobody else. */
export function sendError(exchange: Exchange, error: unknown, log: Log): void {
  const { req, res, requestId, format, signal } = exchange;
  // Nobody is there to be told, and nothing is wrong here.
  if (signal.aborted) {
    res.destroy();
    return;
  }
  const fault = isFault(error) ? error : internalFailure(requestId, error);
  if (fault.status >= 500) {
    log.error({ requestId, action: exchange.action, err: fault.cause ?? fault }, fault.message);
  }
  if (res.headersSent || res.destroyed) {
    // Half of an answer must not look like a whole one.
    res.destroy();
    return;
  }
  for (const name of ['Location', 'ETag', 'Content-Disposition']) res.removeHeader(name);
  // Who is too slow is not waited for any longer.
  const tooSlow = fault.status === 408;
  if (tooSlow) res.setHeader('Connection', 'close');
  if (fault.status === 401) res.setHeader('WWW-Authenticate', CHALLENGE);
  if (fault.retryAfter !== undefined) res.setHeader('Retry-After', String(Math.ceil(fault.retryAfter)));
  if (fault.allow) res.setHeader('Allow', fault.allow.join(', '));
  const record = errorRecord(fault, requestId);
  const body = Buffer.from(format === 'json' ? writeJson(record) : writeXml(errorShape, record));
  res.statusCode = fault.status;
  res.setHeader('Content-Type', format === 'json' ? JSON_TYPE : XML_TYPE);
  res.setHeader('Content-Length', body.length);
  res.setHeader('Cache-Control', 'no-store');
  const content = req.method === 'HEAD' ? undefined : body;
  if (req.complete || req.destroyed || tooSlow || willNotSend(exchange)) {
    res.end(content);
    return;
  }
  if (content) res.write(content);
  else res.flushHeaders();
  drain(exchange);
}

function internalFailure(requestId: string, cause: unknown): Fault {
  return new Fault('Internal Failure', `The gateway failed. Its log tells more under the request ${requestId}.`, {
    cause,
  });
}

/** A client that was not told to go on after `Expect: 100-continue`: its connection ends with the answer. */
function willNotSend({ req, res }: Exchange): boolean {
  return req.headers.expect !== undefined && res.getHeader('Connection') === 'close';
}

/** Bytes and milliseconds of a refused body that are read to keep the connection; a client that sends more, or slower, is cut off. */
const DRAINED = 64 * 1024 ** 2;
const DRAIN_TIME = 30_000;

/**
 * A client that still sends must be able to read why it was refused. It has the whole answer; the end of the answer, which may close the
 * connection and so take the answer away from it, waits until it has sent everything. The server's own limits of time go on.
 */
function drain({ req, res }: Exchange): void {
  let size = 0;
  const limit = setTimeout(() => req.destroy(), DRAIN_TIME);
  req.once('close', () => clearTimeout(limit));
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > DRAINED) req.destroy();
  });
  req.once('end', () => res.end()).once('close', () => res.end());
  req.resume();
}
