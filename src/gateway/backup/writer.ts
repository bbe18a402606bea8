import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Pax, Header as TarHeader } from 'tar';
import { Fault } from '../../domain/errors.js';
import { synchronise } from './durable.js';
import { CHECKSUMS, type Checksums, type MemberSum } from './format.js';

const BLOCK = 512;
const PRIVATE = 0o600;

export interface BackupWriter {
  /** Throws when the source has another size than announced. Gives the SHA-256 of what was written. */
  add(name: string, size: number, source: AsyncIterable<Buffer> | readonly Buffer[]): Promise<MemberSum>;
  /** Adds the checksums, and gives the file its name: until then there is no backup of that name. */
  finish(): Promise<number>;
  /** Removes what was written; after `finish` nothing. */
  discard(): Promise<void>;
}

/** Writes a backup, readable by its owner alone. Throws Fault Conflict when there is a file of that name. */
export async function openBackupWriter(file: string): Promise<BackupWriter> {
  const partial = `${file}.part`;
  await assertFree(file);
  const handle = await open(partial, 'wx', PRIVATE).catch((error: NodeJS.ErrnoException) => {
    throw understood(error, partial);
  });
  const members: MemberSum[] = [];
  let written = 0;
  const write = async (bytes: Buffer) => {
    await handle.writeFile(bytes).catch((error: NodeJS.ErrnoException) => {
      throw understood(error, file);
    });
    written += bytes.length;
  };
  const add: BackupWriter['add'] = async (name, size, source) => {
    for (const block of headerBlocks(name, size)) await write(block);
    const hash = createHash('sha256');
    let came = 0;
    for await (const chunk of source) {
      came += chunk.length;
      if (came > size) break;
      hash.update(chunk);
      await write(chunk);
    }
    if (came !== size) {
      throw new Fault('Conflict', `${name} changed while it was copied (it had ${size} bytes); try again.`);
    }
    await write(Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));
    const sum = { name, size, sha256: hash.digest('hex') };
    members.push(sum);
    return sum;
  };
  return {
    add,
    async finish() {
      const checksums: Checksums = { members: [...members] };
      const text = Buffer.from(JSON.stringify(checksums));
      await add(CHECKSUMS, text.length, [text]);
      await write(Buffer.alloc(2 * BLOCK));
      await handle.sync();
      await handle.close();
      await assertFree(file);
      await rename(partial, file);
      await synchronise(dirname(file));
      return written;
    },
    async discard() {
      await handle.close().catch(() => undefined);
      await rm(partial, { force: true });
    },
  };
}

/** A name that does not fit into a tar's header, or a size above 8 GiB, stands in an extended header before it. */
function headerBlocks(name: string, size: number): Buffer[] {
  const data = { path: name, size, mode: PRIVATE, type: 'File' as const, uid: 0, gid: 0, mtime: new Date() };
  const header = new TarHeader(data);
  const needsPax = header.encode();
  const block = header.block ?? Buffer.alloc(BLOCK);
  return needsPax ? [new Pax({ path: name, size }).encode(), block] : [block];
}

async function assertFree(file: string): Promise<void> {
  const present = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw understood(error, file);
  });
  await present?.close();
  if (present) throw new Fault('Conflict', `${file} exists already; name a new file.`);
}

function understood(error: NodeJS.ErrnoException, file: string): Error {
  const texts: Record<string, string> = {
    EEXIST: `${file} exists: another backup writes it, or one was killed; remove it then.`,
    ENOENT: `The folder of ${file} does not exist.`,
    EACCES: `${file} may not be written.`,
    ENOSPC: `There is no room for ${file}: its disk is full.`,
  };
  const text = texts[error.code ?? ''];
  return text === undefined ? error : new Fault('Conflict', text, { cause: error });
}
