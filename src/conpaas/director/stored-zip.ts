import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A small zip of texts, uncompressed as the original's. */
export async function storedZip(entries: Readonly<Record<string, string>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(entries)) zip.addBuffer(Buffer.from(text), name, { compress: false });
  zip.end();
  return await buffer(zip.outputStream);
}
