import { setMaxListeners } from 'node:events';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { OnCall } from '../adapter.js';
import type { Connection } from './connection.js';
import { systemCode, Unreachable } from './errors.js';

export interface Sent {
  method: string;
  /** With query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | { open(): Readable; size: number; type: string };
  /** Milliseconds until the answer begins, counted anew with each piece of an upload. */
  timeout: number;
  signal: AbortSignal;
}

const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT)/;

/** One request. Resolves when the answer begins; its body is the caller's to read or to destroy. */
export async function send(connection: Connection, sent: Sent): Promise<IncomingMessage> {
  const { agent, headers } = await connection.credentials();
  sent.signal.throwIfAborted();
  const url = new URL(connection.server);
  // A server behind a path, as with a proxy: https://proxy.example.org/clusters/one
  const address = `${url.pathname.replace(/\/$/, '')}${sent.path}`;
  const open = url.protocol === 'https:' ? secureRequest : plainRequest;
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const request = open({
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      method: sent.method,
      path: address,
      agent,
      headers: {
        'user-agent': 'coaps-gateway',
        accept: 'application/json',
        ...headers,
        ...bodyHeaders(sent.body),
        ...sent.headers,
      },
    });
    let source: Readable | undefined;
    let timer: NodeJS.Timeout;
    const finish = () => {
      clearTimeout(timer);
      sent.signal.removeEventListener('abort', abort);
    };
    const fail = (error: unknown) => {
      finish();
      source?.destroy();
      request.destroy();
      reject(error);
    };
    const abort = () => fail(sent.signal.reason);
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(
        () => fail(new Unreachable('slow', `no answer within ${sent.timeout / 1000} s`)),
        sent.timeout,
      );
    };
    // One look at many projects is many requests on one signal: no leak, and Node need not warn of one.
    setMaxListeners(0, sent.signal);
    sent.signal.addEventListener('abort', abort, { once: true });
    request.on('error', (error) => fail(unreachable(error, url)));
    request.on('response', (answer) => {
      finish();
      // An answer before the end of an upload is a refusal: the rest need not be sent, and the connection is of no more use.
      if (source && !source.readableEnded) {
        source.destroy();
        answer.once('close', () => request.destroy());
      }
      const cut = () => answer.destroy();
      sent.signal.addEventListener('abort', cut, { once: true });
      answer.once('close', () => sent.signal.removeEventListener('abort', cut));
      resolve(answer);
    });
    wait();
    if (sent.body === undefined || typeof sent.body === 'string') {
      request.end(sent.body);
      return;
    }
    source = sent.body.open();
    source.on('data', wait);
    source.on('error', (error) => fail(error));
    source.pipe(request);
  });
}

/** As `send`, and tells how long the answer took to begin. */
export async function sendTold(connection: Connection, sent: Sent, tell: OnCall | undefined): Promise<IncomingMessage> {
  const begun = performance.now();
  let status = 0;
  try {
    const answer = await send(connection, sent);
    status = answer.statusCode ?? 0;
    return answer;
  } finally {
    tell?.({ method: sent.method, status, seconds: (performance.now() - begun) / 1000 });
  }
}

function bodyHeaders(body: Sent['body']): Record<string, string> {
  if (body === undefined) return {};
  if (typeof body === 'string')
    return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  return { 'content-type': body.type, 'content-length': String(body.size) };
}

function unreachable(error: Error, url: URL): Unreachable {
  const code = systemCode(error);
  if (UNTRUSTED.test(code)) return new Unreachable('untrusted', `its certificate is not trusted (${code})`, error);
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new Unreachable('refused', `${url.host} cannot be reached (${code})`, error);
  }
  return new Unreachable('cut', `the connection ended (${code || error.message})`, error);
}

/** Reads an answer to its end. */
export async function textOf(answer: IncomingMessage, signal: AbortSignal, timeout: number): Promise<string> {
  const pieces: Buffer[] = [];
  const timer = setTimeout(
    () => answer.destroy(new Unreachable('slow', `the answer stopped for ${timeout / 1000} s`)),
    timeout,
  );
  try {
    for await (const piece of answer) {
      timer.refresh();
      pieces.push(piece as Buffer);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Unreachable
      ? error
      : new Unreachable('cut', `the answer was cut (${systemCode(error)})`, error);
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
  return Buffer.concat(pieces).toString('utf8');
}
