import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import passport from 'passport';
import { Fault } from '../domain/errors.js';
import type { Authentication } from '../domain/ports.js';
import type { Principal } from '../domain/principal.js';
import { readTarget, type Target } from './address.js';
import { checkTimestamp } from './timestamp.js';

const ALGORITHMS: Readonly<Record<string, string>> = { HmacSHA256: 'sha256', HmacSHA1: 'sha1' };

export function isSigned({ query }: Target): boolean {
  return parameterOf(query, 'Signature') !== undefined;
}

/** §3 of the specification: `AccessKeyId`, `Signature`, `SignatureMethod`, `Timestamp`, an alternative to Basic. */
export class SignatureStrategy extends passport.Strategy {
  override readonly name = 'signature';
  // passport calls on an object that inherits from this one: a private field would not be there.
  private readonly verify: (req: Request) => Promise<Principal>;

  constructor(authentication: Authentication, now: () => number) {
    super();
    this.verify = (req) => verify(authentication, now, req);
  }

  override authenticate(req: Request): void {
    this.verify(req).then(
      (principal) => this.success(principal),
      (error) => this.error(error),
    );
  }
}

async function verify(authentication: Authentication, now: () => number, req: Request): Promise<Principal> {
  const target = readTarget(req.originalUrl);
  const accessKeyId = parameterOf(target.query, 'AccessKeyId');
  if (!accessKeyId) throw new Fault('MissingAuthentication', 'A signed request needs the parameter AccessKeyId.');
  const method = parameterOf(target.query, 'SignatureMethod') ?? 'HmacSHA256';
  const algorithm = Object.hasOwn(ALGORITHMS, method) ? ALGORITHMS[method] : undefined;
  if (!algorithm) throw new Fault('InvalidValue', 'SignatureMethod is HmacSHA256 or HmacSHA1.');
  if (parameterOf(target.query, 'Timestamp') === undefined) {
    throw new Fault('MissingParameter', 'A signed request needs the parameter Timestamp.');
  }
  checkTimestamp(target.query, now());
  const text = canonicalRequest(req.method, req.headers.host ?? '', target);
  // A client that leaves the signature's `+` as it is sends a space.
  const signature = Buffer.from((parameterOf(target.query, 'Signature') ?? '').replaceAll(' ', '+'), 'base64');
  const found = await authentication.bySignature(accessKeyId, (secret) => {
    const expected = createHmac(algorithm, secret).update(text).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
  if (found === 'unknown') throw new Fault('InvalidKeyId', 'No user and no key has this AccessKeyId.');
  if (!found) {
    throw new Fault(
      'Invalid signature',
      'The signature is not the one of this request with a key of this AccessKeyId.',
    );
  }
  return found;
}

/** As AWS Signature Version 2 has it: method, host, path, and the parameters sorted by the bytes of their names. */
export function canonicalRequest(method: string, host: string, { path, query }: Target): string {
  const pairs = query
    .filter(([name]) => name !== 'Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(
      ([a, x], [b, y]) =>
        Buffer.compare(Buffer.from(a), Buffer.from(b)) || Buffer.compare(Buffer.from(x), Buffer.from(y)),
    );
  return [method, host.toLowerCase(), path, pairs.map((pair) => pair.join('=')).join('&')].join('\n');
}

/** RFC 3986: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function parameterOf(query: Target['query'], name: string): string | undefined {
  return query.find(([key]) => key === name)?.[1];
}
