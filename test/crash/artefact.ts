import { createHash } from 'node:crypto';
import { zip } from '../archives/pack.js';

/** An application of its own: a page with a word, and bytes that no packer makes smaller. Equal words make equal bytes. */
export function artefactOf(word: string, size: number): { bytes: Buffer; sha256: string } {
  const noise = createHash('shake256', { outputLength: size }).update(word).digest();
  const bytes = zip([
    { name: 'index.html', content: `<h1>${word}</h1>` },
    { name: 'noise.bin', content: noise },
  ]);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** A form with the file and, before it, the descriptor. */
export function formOf(descriptor: string, file: Buffer): { headers: Record<string, string>; body: Buffer } {
  const head =
    '--crash\r\nContent-Disposition: form-data; name="descriptor"\r\nContent-Type: application/xml\r\n\r\n' +
    `${descriptor}\r\n--crash\r\nContent-Disposition: form-data; name="file"; filename="site.zip"\r\n` +
    'Content-Type: application/zip\r\n\r\n';
  const body = Buffer.concat([Buffer.from(head), file, Buffer.from('\r\n--crash--\r\n')]);
  return { headers: { 'Content-Type': 'multipart/form-data; boundary=crash' }, body };
}
