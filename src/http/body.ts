import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Fault } from '../domain/errors.js';
import type { BodyFormat } from '../representations/bodies.js';
import type { Limits } from './options.js';
import { tooSlow } from './silence.js';

export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

/** The whole body. Throws Fault `PayloadTooLarge` as soon as it is known, `UnsupportedMediaType` for a compressed one, `RequestTimeout`. */
export async function readBytes(req: IncomingMessage, { document: limit, bodySeconds }: Limits): Promise<Buffer> {
  refuseEncoded(req);
  const tooLarge = () => new Fault('PayloadTooLarge', `The document is larger than ${limit} bytes.`);
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const deadline = setTimeout(() => settle(() => reject(tooSlow(bodySeconds))), bodySeconds * 1000);
    const settle = (outcome: () => void) => {
      clearTimeout(deadline);
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      outcome();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit) settle(() => reject(tooLarge()));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks)));
    const onClose = () =>
      settle(() => reject(new Fault('InvalidValue', 'The request ended in the middle of its body.')));
    req.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose);
    req.resume();
  });
}

export function refuseEncoded(req: IncomingMessage): void {
  const encoding = req.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') {
    throw new Fault('UnsupportedMediaType', 'Send the body without Content-Encoding.');
  }
}

/** The type before its parameters, in lower case; empty: none was sent. */
export function mediaType(req: IncomingMessage): string {
  return (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** XML or JSON, by the content type; without one by the first character. Throws Fault `UnsupportedMediaType`. */
export function bodyFormat(type: string, bytes: Buffer): BodyFormat {
  if (type === '') return looksLikeJson(bytes) ? 'json' : 'xml';
  if (type === 'application/xml' || type === 'text/xml' || type.endsWith('+xml')) return 'xml';
  if (type === 'application/json' || type.endsWith('+json')) return 'json';
  throw new Fault(
    'UnsupportedMediaType',
    `"${type.slice(0, 60)}" is not read here. Send application/xml or application/json.`,
  );
}

export function looksLikeJson(bytes: Buffer): boolean {
  return firstCharacter(bytes) === '{';
}

export function looksLikeXml(bytes: Buffer): boolean {
  return firstCharacter(bytes) === '<';
}

function firstCharacter(bytes: Buffer): string | undefined {
  return /[^\s\uFEFF]/.exec(bytes.subarray(0, 1024).toString('utf8'))?.[0];
}

/** SHA-256 of a request's bytes as they come by, to be compared with `ContentSha256` of a signed request. */
export class BodyDigest {
  readonly #hash: Hash = createHash('sha256');
  readonly #expected: string;

  /** `expected` is lower- or upper-case hex. */
  constructor(req: IncomingMessage, expected: string) {
    this.#expected = expected.toLowerCase();
    req.on('data', (chunk: Buffer) => this.#hash.update(chunk));
    req.pause();
  }

  /** To be called when the whole body has been read. Throws Fault `Invalid signature`. */
  check(): void {
    if (this.#hash.digest('hex') !== this.#expected) {
      throw new Fault('Invalid signature', 'ContentSha256 is not the SHA-256 of the body that came.');
    }
  }
}
