import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Fault } from '../domain/errors.js';

/**
 * Opens the file that lies directly in `folder` under exactly this name; undefined when there is none. A symbolic link is not followed,
 * and a directory, device or pipe is no file. The caller reads the stream to its end or destroys it.
 */
export async function openDropped(folder: string, name: string): Promise<Readable | undefined> {
  if (!(await names(folder)).includes(name)) return undefined;
  // NONBLOCK: opening a pipe waits for its writer otherwise.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(folder, name), flags).catch((error: NodeJS.ErrnoException) => {
    throw unusable(name, error.code === 'ELOOP' ? 'is a symbolic link' : `cannot be read (${error.code})`);
  });
  const found = await handle.stat();
  if (found.isFile()) return handle.createReadStream();
  await handle.close();
  throw unusable(name, 'is no regular file');
}

/** The folder's own spelling: on some file systems another case or form opens the same file. */
async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Fault('Internal Failure', `The folder of artefacts.dropFolder cannot be read (${code}).`, {
      cause: error,
    });
  }
}

function unusable(name: string, why: string): Fault {
  return new Fault('InvalidValue', `${JSON.stringify(name)} in the drop folder ${why}; put a regular file there.`);
}
