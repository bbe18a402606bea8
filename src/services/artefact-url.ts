import { type LookupAddress, lookup } from 'node:dns';
import { get as getHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Fault } from '../domain/errors.js';
import { isPublicAddress } from './public-address.js';

const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Milliseconds without a byte. */
const SILENCE = 30_000;

export interface UrlRules {
  /** Bytes. */
  size: number;
  /** Loopback, private and link-local addresses may be reached too. */
  allowPrivate: boolean;
}

/**
 * Opens the bytes behind an http or https URL that a client gave. The gateway stands in networks that its clients do not, so only public
 * addresses are reached; the address that is connected to is what counts, whatever the name resolved to before. Faults name the host
 * and nothing else of the URL, which may hold a token.
 */
export async function openUrl(location: string, rules: UrlRules, signal: AbortSignal): Promise<IncomingMessage> {
  let url = parse(location);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const response = await request(url, rules, signal);
    const { statusCode = 0, headers } = response;
    if (!REDIRECTS.includes(statusCode) || headers.location === undefined) return checked(response, url, rules);
    response.destroy();
    url = redirected(url, headers.location);
  }
  throw new Fault('InvalidValue', `${url.host} redirects more than ${MOST_REDIRECTS} times.`);
}

function parse(location: string, base?: URL): URL {
  const url = URL.canParse(location, base?.href) ? new URL(location, base) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Fault('InvalidValue', 'The location of an artefact is an http or https URL.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Fault('InvalidValue', 'The URL of an artefact must not hold a user name or a password.');
  }
  return url;
}

function redirected(from: URL, location: string): URL {
  const to = parse(location, from);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new Fault('InvalidValue', `${from.host} redirects from https to http, which is not followed.`);
  }
  return to;
}

function request(url: URL, { allowPrivate }: UrlRules, signal: AbortSignal): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw notPublic(host);
  const options: RequestOptions = {
    agent: false,
    signal,
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'coaps-gateway' },
    ...(!allowPrivate && { lookup: lookupPublic }),
  };
  return new Promise((resolve, reject) => {
    const call = url.protocol === 'https:' ? getHttps(url, options) : getHttp(url, options);
    call.on('response', resolve);
    call.on('error', (error) => reject(signal.aborted ? signal.reason : unreachable(host, error)));
    call.setTimeout(SILENCE, () => call.destroy(silent(host)));
    call.on('socket', (socket) => {
      socket.once('connect', () => {
        if (!allowPrivate && !isPublicAddress(socket.remoteAddress ?? '')) call.destroy(notPublic(host));
      });
    });
  });
}

/** Gives the socket nothing but public addresses; there is no second look-up that could answer differently. */
const lookupPublic: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    const usable = error ? [] : found.filter(({ address }) => isPublicAddress(address));
    const [first] = usable as [LookupAddress?];
    if (first === undefined) callback(error ?? notPublic(host), '', 0);
    else if (options.all) callback(null, usable);
    else callback(null, first.address, first.family);
  });
};

function checked(response: IncomingMessage, url: URL, { size }: UrlRules): IncomingMessage {
  const fault = complaint(response, url, size);
  if (fault) {
    response.destroy();
    throw fault;
  }
  response.setTimeout(SILENCE, () => response.destroy(silent(url.host)));
  return response;
}

function complaint({ statusCode, headers }: IncomingMessage, url: URL, size: number): Fault | undefined {
  if (statusCode !== 200) {
    return new Fault('InvalidValue', `${url.host} answers ${statusCode} for the artefact; check its URL.`);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    return new Fault('InvalidValue', `${url.host} sends the artefact in the encoding ${JSON.stringify(encoding)}.`);
  }
  if (Number(headers['content-length'] ?? 0) > size) {
    return new Fault('PayloadTooLarge', `The artefact is larger than ${size} bytes, the most that is accepted.`);
  }
  return undefined;
}

function notPublic(host: string): Fault {
  return new Fault(
    'InvalidValue',
    `${host} has no public address; artefacts are fetched from such hosts only with artefacts.allowPrivate.`,
  );
}

function silent(host: string): Fault {
  return new Fault('InvalidValue', `${host} sent nothing for ${SILENCE / 1000} seconds.`);
}

function unreachable(host: string, error: Error): Fault {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'failed';
  return new Fault('InvalidValue', `The artefact cannot be fetched from ${host} (${code}).`, { cause: error });
}
