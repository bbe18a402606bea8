import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Fault } from '../domain/errors.js';

export interface Target {
  /** As sent, escapes and all. */
  path: string;
  /** Decoded, in the order in which they came. */
  query: readonly (readonly [name: string, value: string])[];
}

/** Reads a request target; a proxy's absolute form is taken as its path. Throws Fault `InvalidValue` for broken escapes. */
export function readTarget(url: string): Target {
  const relative = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('#')[0] as string;
  const mark = relative.indexOf('?');
  const path = mark === -1 ? relative : relative.slice(0, mark);
  const query =
    mark === -1
      ? []
      : relative
          .slice(mark + 1)
          .split('&')
          .filter(Boolean)
          .map(readPair);
  return { path: path.startsWith('/') ? path : `/${path}`, query };
}

function readPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  try {
    return [decodeURIComponent(name.replaceAll('+', ' ')), decodeURIComponent(value.replaceAll('+', ' '))];
  } catch (error) {
    throw new Fault('InvalidValue', 'The query holds a broken percent escape.', { cause: error });
  }
}

const HOST = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

/**
 * Scheme, host and port by which the client reached us. The Accords client sends its Host without the port, so the socket's is
 * added; a Host that is none is not echoed.
 */
export function originOf(req: IncomingMessage, publicUrl: string | undefined): string {
  if (publicUrl) return publicUrl.replace(/\/+$/, '');
  const secure = Boolean((req.socket as TLSSocket).encrypted);
  const scheme = secure ? 'https' : 'http';
  const host = HOST.exec(req.headers.host ?? '');
  const port = req.socket.localPort ?? 0;
  const suffix = port === (secure ? 443 : 80) ? '' : `:${port}`;
  if (host) return `${scheme}://${host[0]}${host[1] ? '' : suffix}`;
  const address = req.socket.localAddress ?? 'localhost';
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}${suffix}`;
}
