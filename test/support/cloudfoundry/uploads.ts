import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import { Refusal, unprocessable } from './errors.js';
import { checkBody } from './http.js';
import type { Package } from './objects.js';
import type { World } from './world.js';
import { readZip } from './zip.js';

/** Bits beyond this are counted and forgotten: a gigabyte is uploaded to see that it passes, not to be run. */
const KEPT = 64 * 1024 * 1024;

export function uploadedAlready(): Refusal {
  return new Refusal(
    400,
    150004,
    'CF-PackageBitsAlreadyUploaded',
    'Bits may be uploaded only once. Create a new package to upload different bits.',
  );
}

interface Upload {
  fields: string[];
  resources?: string;
  bits?: { file: string; size: number; sha256: string };
}

export async function receive(world: World, request: IncomingMessage): Promise<Upload> {
  const upload: Upload = { fields: [] };
  const writing: Promise<void>[] = [];
  const parser = new Busboy({ headers: request.headers as { 'content-type': string } });
  parser.on('field', (name, value) => {
    upload.fields.push(name);
    if (name === 'resources') upload.resources = value;
  });
  parser.on('file', (name, stream) => {
    upload.fields.push(name);
    const file = join(world.folder, `${randomUUID()}.zip`);
    const hash = createHash('sha256');
    let size = 0;
    async function* kept(): AsyncGenerator<Buffer> {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length;
        hash.update(chunk);
        if (size <= KEPT) yield chunk;
      }
    }
    writing.push(
      pipeline(kept, createWriteStream(file)).then(() => {
        upload.bits = { file, size, sha256: hash.digest('hex') };
      }),
    );
  });
  await pipeline(request, parser);
  await Promise.all(writing);
  return upload;
}

export function accept(world: World, made: Package, { fields, resources, bits }: Upload): void {
  const unknown = fields.filter((name) => name !== 'bits' && name !== 'resources');
  checkBody(
    Object.fromEntries(unknown.map((name) => [name, ''])),
    [],
    [!fields.includes('bits') && !fields.includes('resources') && 'Upload must include either resources or bits'],
  );
  const missing = readResources(resources);
  made.state = 'PROCESSING_UPLOAD';
  world.clock.after(500, async () => {
    const error = missing ?? (bits ? await judge(bits) : undefined);
    Object.assign(made, {
      updated: new Date(),
      state: error === undefined ? 'READY' : 'FAILED',
      size: bits?.size ?? 0,
    });
    if (error !== undefined) made.error = error;
    else Object.assign(made, { checksum: bits?.sha256, ...(bits && bits.size <= KEPT ? { file: bits.file } : {}) });
  });
}

/** The platform knows no file beforehand: naming one fails. */
function readResources(text = '[]'): string | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw unprocessable('Resources must be valid JSON.');
  }
  const [first] = list as { checksum?: { value?: string } }[];
  return first ? `Could not find object '${first.checksum?.value}'` : undefined;
}

async function judge({ file, size }: { file: string; size: number }): Promise<string | undefined> {
  const bytes = await readFile(file);
  if (bytes.subarray(0, 4).toString('latin1') === 'PK\x05\x06')
    return 'The app upload is invalid: Invalid zip archive (zipfile is empty).';
  if (size > KEPT)
    return bytes.subarray(0, 2).toString('latin1') === 'PK'
      ? undefined
      : 'The app upload is invalid: Invalid zip archive.';
  const valid = await readZip(bytes).then(
    () => true,
    () => false,
  );
  return valid ? undefined : 'The app upload is invalid: Invalid zip archive.';
}
