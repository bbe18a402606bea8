import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** Makes equal files equal archives. */
const MODIFIED = new Date(2026, 0, 1);

/** A zip archive of the given files. */
export function makeZip(files: Record<string, string | Buffer>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content as string), name, { mtime: MODIFIED });
  zip.end();
  return buffer(zip.outputStream as Readable);
}
