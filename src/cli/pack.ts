import type { EventEmitter } from 'node:events';
import { createWriteStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { CommandFault } from './fault.js';

/** Never of use to a running application. */
const LEFT_OUT = new Set(['.git', '.hg', '.svn', '.DS_Store']);

/**
 * Packs a directory as a zip, streamed to `target`. Left out: version control, and `node_modules` beside a package-lock.json: the
 * platform installs exactly what the lock says (`npm ci`), for its own machine. Without a lock it cannot, so then they go along.
 * Symbolic links stay links and may not lead out of the directory.
 */
export async function packDirectory(directory: string, target: string): Promise<void> {
  const zip = new yazl.ZipFile();
  const root = await realpath(directory);
  const packed = zip.outputStream as Readable;
  const written = pipeline(packed, createWriteStream(target, { mode: 0o600 }));
  // A file that cannot be read is told by the zip alone.
  (zip as unknown as EventEmitter).on('error', (error: Error) => packed.destroy(error));
  try {
    let count = 0;
    for await (const { name, path, stats } of walk(root, root)) {
      count += 1;
      if (stats.isSymbolicLink()) {
        const link = await innerLink(root, path);
        zip.addBuffer(Buffer.from(link), name, { mode: 0o120777, mtime: stats.mtime });
      } else if (stats.isDirectory()) zip.addEmptyDirectory(name, { mode: stats.mode, mtime: stats.mtime });
      else zip.addFile(path, name, { mode: stats.mode, mtime: stats.mtime });
    }
    if (count === 0) throw new CommandFault(`${directory} is empty: there is nothing to push.`, 2);
    zip.end();
  } catch (error) {
    packed.destroy();
    await written.catch(() => undefined);
    throw error;
  }
  await written;
}

async function* walk(root: string, folder: string): AsyncGenerator<{ name: string; path: string; stats: Stats }> {
  const names = (await readdir(folder)).sort();
  const locked = names.includes('package-lock.json');
  for (const entry of names) {
    if (LEFT_OUT.has(entry) || (entry === 'node_modules' && locked)) continue;
    const path = join(folder, entry);
    const stats = await lstat(path);
    const name = relative(root, path).split(sep).join('/');
    // Sockets, pipes and devices are nothing that an archive can hold.
    if (stats.isFile() || stats.isSymbolicLink()) yield { name, path, stats };
    else if (stats.isDirectory()) {
      yield { name, path, stats };
      yield* walk(root, path);
    }
  }
}

async function innerLink(root: string, path: string): Promise<string> {
  const link = await readlink(path);
  const target = relative(root, resolve(dirname(path), link));
  if (target.startsWith('..') || resolve(link) === link)
    throw new CommandFault(
      `${path} links to ${link}, outside of the directory; an application has to carry what it needs.`,
      2,
    );
  return link;
}
