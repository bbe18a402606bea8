import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { GatewayRequest } from './client.js';
import { CommandFault } from './fault.js';

/** A descriptor and an artefact as multipart/form-data, streamed from the disk; `sent` hears how many bytes of how many have gone. */
export async function uploadBody(
  file: string,
  name: string,
  descriptor?: string,
  sent?: (bytes: number, total: number) => void,
): Promise<NonNullable<GatewayRequest['body']>> {
  const size = await fileSize(file);
  const boundary = `coaps-${randomUUID()}`;
  const described =
    descriptor === undefined
      ? ''
      : `--${boundary}\r\nContent-Disposition: form-data; name="descriptor"\r\nContent-Type: application/xml\r\n\r\n${descriptor}\r\n`;
  const quoted = basename(name).replace(/["\r\n]/g, '_');
  const head = Buffer.from(
    `${described}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  async function* bytes(): AsyncGenerator<Buffer> {
    yield head;
    let gone = 0;
    for await (const chunk of createReadStream(file)) {
      yield chunk as Buffer;
      gone += (chunk as Buffer).length;
      sent?.(gone, size);
    }
    yield tail;
  }
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    content: Readable.from(bytes(), { objectMode: false }),
    length: head.length + size + tail.length,
  };
}

async function fileSize(file: string): Promise<number> {
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof stats !== 'object')
    throw new CommandFault(`${file} cannot be read: ${stats === 'ENOENT' ? 'there is no such file' : stats}`, 2);
  if (!stats.isFile()) throw new CommandFault(`${file} is no file.`, 2);
  return stats.size;
}
