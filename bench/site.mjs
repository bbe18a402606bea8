import { createReadStream, createWriteStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

/** The smallest application: a page. */
export async function smallSite() {
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from('<h1>Hello</h1>'), 'index.html');
  zip.end();
  return await buffer(zip.outputStream);
}

/** An archive of about so many bytes, which nothing can compress. */
export async function bigSite(file, bytes) {
  const zip = new yazl.ZipFile();
  zip.addReadStream(createReadStream('/dev/urandom', { end: bytes - 1, highWaterMark: 1024 ** 2 }), 'index.html', {
    compress: false,
  });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}
