import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { Fault } from '../domain/errors.js';
import type { Limits } from './options.js';
import { watchSilence } from './silence.js';

export interface Part {
  name: string;
  /** As sent; absent in the parts of the Accords client and of Jersey. */
  filename: string | undefined;
  stream: Readable;
}

export interface PartTaker {
  file(part: Part): Promise<void>;
  field(name: string, value: string): void;
}

const MOST_PARTS = 32;

/**
 * Streams a multipart body part by part. Old clients send the file without a filename, with a nested multipart type, or as
 * octet-stream: `isPartAFile` knows them. Ends with the first fault, without waiting for what the client still sends.
 */
export function readParts(req: IncomingMessage, limits: Limits, signal: AbortSignal, taker: PartTaker): Promise<void> {
  return new Promise((resolve, reject) => {
    const parser = open(req, limits);
    const streams = new Set<BusboyFileStream>();
    const taken: Promise<void>[] = [];
    let failed = false;
    const release = () => {
      endWatch();
      signal.removeEventListener('abort', onAbort);
      req.off('close', onClose);
    };
    const fail = (error: unknown) => {
      if (failed) return;
      // The first fault decides, also when the parser has come to its end and only waits for the takers.
      failed = true;
      release();
      req.unpipe(parser);
      req.resume();
      // They never fail by themselves: their readers would hang.
      for (const stream of streams) stream.destroy(error as Error);
      Promise.allSettled(taken).then(() => reject(error), reject);
    };
    const succeed = () => {
      if (failed) return;
      release();
      resolve();
    };
    const onAbort = () => fail(signal.reason);
    const onClose = () => {
      if (!req.complete) fail(new Fault('InvalidValue', 'The request ended in the middle of its body.'));
    };
    parser.on('file', (name, stream, filename) => {
      // The parser goes on to the end of the piece that it has.
      if (failed) return void stream.resume();
      streams.add(stream);
      stream.on('error', () => undefined);
      stream.once('limit', () => fail(tooLarge('file', limits.artefact)));
      taken.push(taker.file({ name: name ?? '', filename: utf8(filename), stream }).catch(fail));
    });
    parser.on('field', (name, value, _, truncated) => {
      if (failed) return;
      if (truncated) return fail(tooLarge('field', limits.document));
      try {
        taker.field(name ?? '', value);
      } catch (error) {
        fail(error);
      }
    });
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      parser.once(limit, () => fail(new Fault('PayloadTooLarge', `The body has more than ${MOST_PARTS} parts.`)));
    }
    parser.once('error', (cause) =>
      fail(new Fault('InvalidValue', 'The multipart body is broken or ends early.', { cause })),
    );
    parser.once('finish', () => void Promise.all(taken).then(succeed));
    const endWatch = watchSilence(req, limits.bodySeconds, fail);
    signal.addEventListener('abort', onAbort);
    req.once('close', onClose);
    req.pipe(parser);
  });
}

function open(req: IncomingMessage, limits: Limits): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...req.headers, 'content-type': req.headers['content-type'] ?? '' },
      isPartAFile: (name, type, filename) =>
        filename !== undefined || type === 'application/octet-stream' || name === 'file',
      limits: { fileSize: limits.artefact, fieldSize: limits.document, parts: MOST_PARTS, headerPairs: 64 },
    });
  } catch (cause) {
    throw new Fault('InvalidValue', 'The Content-Type of the multipart body names no boundary.', { cause });
  }
}

function tooLarge(what: string, limit: number): Fault {
  return new Fault('PayloadTooLarge', `The ${what} is larger than ${limit} bytes.`);
}

/** Names come out of the headers byte for byte. */
function utf8(name: string | undefined): string | undefined {
  if (name === undefined || /[^\u0000-\u00ff]/.test(name)) return name;
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return text.includes('\uFFFD') ? name : text;
}
