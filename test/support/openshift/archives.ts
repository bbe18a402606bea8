import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { Parser } from 'tar';
import { fromBuffer, type ZipFile } from 'yauzl';

/** The files of an archive as a build takes it: tar, gzipped or not, or zip. Throws what the builder would say. */
export async function unpack(bytes: Buffer): Promise<Map<string, Buffer>> {
  if (bytes.length === 0) throw new Error('unexpected end of file');
  if (bytes.subarray(0, 2).toString('latin1') === 'PK') return unzip(bytes);
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isZipped ? gunzipSync(bytes) : bytes;
  if (plain.length < 512) throw new Error('unexpected end of file');
  return untar(plain);
}

async function untar(bytes: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({ strict: true });
    parser.on('entry', (entry) => {
      const pieces: Buffer[] = [];
      entry.on('data', (piece: Buffer) => pieces.push(piece));
      entry.on('end', () => {
        if (entry.type === 'File' || entry.type === 'OldFile')
          files.set(entry.path.replace(/^\.\//, ''), Buffer.concat(pieces));
      });
    });
    parser.on('end', resolve);
    parser.on('error', reject);
    Readable.from([bytes]).pipe(parser as unknown as NodeJS.WritableStream);
  });
  return files;
}

async function unzip(bytes: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true }, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', resolve);
    zip.on('entry', (entry) => {
      if (entry.fileName.endsWith('/')) return zip.readEntry();
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('error', reject);
        stream.on('end', () => {
          files.set(entry.fileName, Buffer.concat(pieces));
          zip.readEntry();
        });
      });
    });
    zip.readEntry();
  });
  return files;
}

/** The files of a folder, by their names in it. */
export function within(files: Map<string, Buffer>, folder: string | undefined): Map<string, Buffer> {
  if (folder === undefined || folder === '') return files;
  const start = `${folder}/`;
  return new Map(
    [...files].flatMap(([name, bytes]) => (name.startsWith(start) ? [[name.slice(start.length), bytes] as const] : [])),
  );
}
