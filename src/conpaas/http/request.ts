import type { IncomingMessage, ServerResponse } from 'node:http';
import multer from 'multer';
import { Fault } from '../../domain/errors.js';

/** A file of a multipart body, on disk in the folder that the reader chose. Whoever asked for it removes or moves it. */
export interface ReceivedFile {
  /** Name of its form field. */
  field: string;
  /** As the client typed it, reduced to a plain file name. */
  name: string;
  path: string;
  /** Bytes. */
  size: number;
}

export interface FormLimits {
  /** Bytes of one file. */
  file: number;
  /** Where files stream to. */
  folder: string;
}

/** Bytes of a body that is kept in memory: parameters, JSON documents, manifests. */
const LONGEST_TEXT = 4 * 1024 * 1024;

/** Path and query of a request target, also of the absolute form (`POST https://host:5555/list HTTP/1.1`). */
export function requestTarget(request: IncomingMessage): URL {
  const text = request.url ?? '/';
  try {
    // A path of two slashes would be read as a host.
    return new URL(text.startsWith('/') ? `https://host${text}` : text, 'https://host');
  } catch {
    throw new Fault('NotFound', 'The address cannot be read.');
  }
}

/** The media type without parameters, in lower case. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The whole body as text. Throws Fault PayloadTooLarge. */
export async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LONGEST_TEXT) throw new Fault('PayloadTooLarge', `A body may have ${LONGEST_TEXT} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Parameters of an urlencoded or multipart body; of anything else: none. */
export async function readForm(
  request: IncomingMessage,
  response: ServerResponse,
  limits: FormLimits,
): Promise<{ fields: URLSearchParams; files: ReceivedFile[] }> {
  if (mediaType(request) === 'multipart/form-data') return await readMultipart(request, response, limits);
  return { fields: new URLSearchParams(await readText(request)), files: [] };
}

async function readMultipart(request: IncomingMessage, response: ServerResponse, limits: FormLimits) {
  const receive = multer({
    dest: limits.folder,
    defParamCharset: 'utf8',
    limits: { fileSize: limits.file, files: 1, fields: 100, fieldSize: LONGEST_TEXT },
  }).any();
  const read = request as IncomingMessage & { body?: Record<string, unknown>; files?: Express.Multer.File[] };
  await new Promise<void>((resolve, reject) => {
    receive(read as never, response as never, (error: unknown) => (error ? reject(asFault(error)) : resolve()));
  });
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(read.body ?? {})) {
    if (typeof value === 'string') fields.append(name, value);
  }
  const files = (read.files ?? []).map(({ fieldname, originalname, path, size }) => ({
    field: fieldname,
    name: plainName(originalname),
    path,
    size,
  }));
  return { fields, files };
}

function asFault(error: unknown): Fault {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && code.startsWith('LIMIT_')) {
    return new Fault('PayloadTooLarge', 'The upload is larger than allowed.', { cause: error });
  }
  return new Fault('InvalidValue', 'The multipart body cannot be read.', { cause: error });
}

/** Clients send the path as typed, of either kind of system. */
function plainName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  return last.replace(/[\u0000-\u001f\u007f]/g, '').slice(-200) || 'unnamed';
}
