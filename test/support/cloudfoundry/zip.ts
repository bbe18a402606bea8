import type { Readable } from 'node:stream';
import yauzl from 'yauzl';

export interface Entry {
  name: string;
  bytes: Readable;
}

/** The files of a zip. Throws what a Cloud Controller says of a bad one. */
export async function readZip(archive: Buffer): Promise<Entry[]> {
  // Undecoded names are not judged: the platform does not mind a path that leaves the folder.
  const options = { lazyEntries: true, autoClose: false, decodeStrings: false };
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) =>
    yauzl.fromBuffer(archive, options, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const entries: Entry[] = [];
  return await new Promise((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: yauzl.Entry) => {
      const name = String(entry.fileName);
      if (name.endsWith('/')) {
        zip.readEntry();
        return;
      }
      zip.openReadStream(entry, (error, bytes) => {
        if (error) reject(error);
        else {
          entries.push({ name, bytes });
          zip.readEntry();
        }
      });
    });
    zip.readEntry();
  });
}
