import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Fault } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import type { Artefact } from '../domain/model.js';
import type { ArtefactReceiver } from '../domain/ports.js';
import type { Upload } from '../domain/views.js';
import { readBody } from '../representations/bodies.js';
import {
  type BodyDigest,
  bodyFormat,
  hasBody,
  looksLikeJson,
  looksLikeXml,
  mediaType,
  readBytes,
  refuseEncoded,
} from './body.js';
import { type Part, readParts } from './multipart.js';
import type { Limits } from './options.js';
import type { UploadTurns } from './upload-turns.js';

export interface UploadRules {
  artefacts: ArtefactReceiver;
  limits: Limits;
  signal: AbortSignal;
  /** Who sends. */
  user: string;
  turns: UploadTurns;
  /** Of a signed request. */
  digest?: BodyDigest;
}

/** A descriptor, an artefact, both, or nothing: as multipart in any order, or a descriptor alone as XML or JSON. */
export function createUpload(req: IncomingMessage, rules: UploadRules): Upload {
  const multipart = mediaType(req).startsWith('multipart/');
  return {
    present: hasBody(req),
    async read() {
      refuseEncoded(req);
      const found = multipart
        ? await rules.turns.take(rules.user, () => readMultipart(req, rules))
        : await readDocument(req, rules.limits);
      rules.digest?.check();
      return found;
    },
  };
}

interface Found {
  manifest?: Manifest;
  artefact?: Artefact;
}

async function readDocument(req: IncomingMessage, limits: Limits): Promise<Found> {
  if (!hasBody(req)) return {};
  const type = mediaType(req);
  try {
    bodyFormat(type, Buffer.alloc(0));
  } catch {
    throw new Fault(
      'UnsupportedMediaType',
      `"${type.slice(0, 60)}" is not read here. Send multipart/form-data with the part "file", or a descriptor as application/xml.`,
    );
  }
  const bytes = await readBytes(req, limits);
  return bytes.length === 0 ? {} : { manifest: readBody('manifest', bodyFormat(type, bytes), bytes) };
}

async function readMultipart(req: IncomingMessage, { artefacts, limits, signal }: UploadRules): Promise<Found> {
  const length = req.headers['content-length'];
  await artefacts.admit(length === undefined ? 0 : Number(length));
  const found: Found = {};
  let hasFile = false;
  const takeDescriptor = (bytes: Buffer) => {
    if (found.manifest) throw new Fault('InvalidParameter', 'The body holds two descriptors.');
    found.manifest = readBody('manifest', looksLikeJson(bytes) ? 'json' : 'xml', bytes);
  };
  const takeFile = async ({ name, filename, stream }: Part) => {
    const first = await beginningOf(stream);
    // The part of a form in which no file was chosen.
    if (first === null) return;
    if (name === 'descriptor' || looksLikeXml(first)) return takeDescriptor(await collect(stream, limits.document));
    if (hasFile) throw new Fault('InvalidParameter', 'The body holds two files; a version has one artefact.');
    hasFile = true;
    found.artefact = await artefacts.receive(stream, filename, signal);
  };
  await readParts(req, limits, signal, {
    file: takeFile,
    field(name, value) {
      const bytes = Buffer.from(value);
      if (value !== '' && (name === 'descriptor' || looksLikeXml(bytes))) takeDescriptor(bytes);
    },
  });
  return found;
}

/** What has come first; it stays in the stream. Null: the stream has come to its end. */
async function beginningOf(stream: Readable): Promise<Buffer | null> {
  await once(stream, 'readable');
  const first: Buffer | null = stream.read();
  if (first !== null) stream.unshift(first);
  return first;
}

async function collect(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Fault('PayloadTooLarge', `The descriptor is larger than ${limit} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
