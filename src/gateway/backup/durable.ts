import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Without it a power cut may forget the names in a folder, though the bytes are on the disk. */
export async function synchronise(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file for its owner alone, whole or not at all, and on the disk when this returns. */
export async function writeDurably(file: string, source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  const partial = `${file}.part`;
  const handle = await open(partial, 'w', 0o600);
  try {
    for await (const chunk of source) await handle.writeFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  await synchronise(dirname(file));
}
