import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, lchown, link, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { ArchiveFault, shown } from './fault.js';
import type { ArchiveLimits } from './limits.js';
import { assertInnerTargets, type Member, readTarget } from './member.js';
import { commonRoot } from './root.js';
import { visitArchive } from './visit.js';

export interface ExtractOptions {
  /** Whose the files become; default: the process's own. Needs root. */
  owner?: { uid: number; gid: number };
  signal?: AbortSignal;
}

/** Bytes of a file that is held in memory while it waits to be written, and how many may be. */
const SMALL = 1024 * 1024;
const WRITERS = 8;

/** Beside the target while it grows; whoever owns the parent folder may remove such leftovers of a crash at its start. */
export const PARTIAL = '.part-';

/**
 * Unpacks an archive into `folder`, which must not exist and appears at once, complete. A single top-level directory becomes the folder
 * itself (root.ts), of mode 0700. Files in it get 0644, or 0755 when executable; setuid, owners and times of the archive are dropped.
 * Throws ArchiveFault (a Fault `InvalidValue`) and leaves nothing behind.
 */
export async function extractArchive(
  file: string,
  folder: string,
  limits: ArchiveLimits,
  options: ExtractOptions = {},
): Promise<void> {
  const partial = `${folder}${PARTIAL}${randomBytes(4).toString('hex')}`;
  const unpacker = createUnpacker(partial);
  try {
    await mkdir(partial, { mode: 0o700 });
    await visitArchive(file, limits, unpacker.visit, options.signal);
    const root = commonRoot(unpacker.tops, unpacker.leaves);
    if (unpacker.tops.size === 0) throw new ArchiveFault('format', 'The archive is empty.');
    await unpacker.finish(root);
    await chmod(join(partial, root), 0o700);
    if (options.owner) await giveTo(join(partial, root), options.owner);
    options.signal?.throwIfAborted();
    await rename(join(partial, root), folder);
  } finally {
    await unpacker.settle();
    await rm(partial, { recursive: true, force: true });
  }
}

function createUnpacker(base: string) {
  const writers = createWriters();
  const directories = new Set<string>(['']);
  const links = new Map<string, string>();
  /** Top-level names, and those of them that are no directories. */
  const tops = new Set<string>();
  const leaves = new Set<string>();

  const directory = async (path: string) => {
    if (directories.has(path)) return;
    await mkdir(join(base, path), { recursive: true, mode: 0o755 });
    directories.add(path);
  };

  const visit = async (member: Member) => {
    const [top = ''] = member.path.split('/');
    if (top !== '') tops.add(top);
    if (member.type === 'directory') return directory(member.path);
    if (top === member.path) leaves.add(top);
    await directory(parentOf(member.path));
    const path = join(base, member.path);
    if (member.type === 'symlink') {
      links.set(member.path, await readTarget(member));
    } else if (member.type === 'hardlink') {
      await writers.idle();
      await linkTo(join(base, member.linkPath ?? ''), path, member);
    } else {
      const options = { flag: 'wx', mode: member.executable ? 0o755 : 0o644 };
      const source = await member.open();
      if (member.size > SMALL) {
        const target = createWriteStream(path, { flags: options.flag, mode: options.mode });
        await pipeline(source, target).catch((error: unknown) => collided(error, member));
      } else {
        const content = await buffer(source);
        await writers.start(() => writeFile(path, content, options).catch((error: unknown) => collided(error, member)));
      }
    }
  };

  /** Last of all, so that nothing is ever written through a link, and when the root is known that none may leave. */
  const finish = async (root: string) => {
    await writers.idle();
    assertInnerTargets(links, root);
    for (const [path, target] of links) await symlink(target, join(base, path));
  };

  return { visit, finish, settle: writers.settle, tops, leaves };
}

/** A file system that ignores case, or composes accents, sees duplicates where the names differ. */
function collided(error: unknown, member: Member): never {
  const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
  throw isThere ? new ArchiveFault('unsafe', `Two members are ${shown(member.path)}.`) : error;
}

/** Small files are written several at a time: an application's dependencies are tens of thousands of them. */
function createWriters() {
  const running = new Set<Promise<void>>();
  let fault: { error: unknown } | undefined;
  const check = () => {
    if (fault) throw fault.error;
  };
  const settle = async () => {
    await Promise.all(running);
  };
  return {
    /** Resolves when the work has begun. */
    start: async (work: () => Promise<void>) => {
      while (running.size >= WRITERS) await Promise.race(running);
      check();
      const mine: Promise<void> = work()
        .catch((error: unknown) => {
          fault ??= { error };
        })
        .finally(() => running.delete(mine));
      running.add(mine);
    },
    /** Resolves when all is written; rejects with the first fault. */
    idle: async () => {
      await settle();
      check();
    },
    settle,
  };
}

async function linkTo(existing: string, path: string, member: Member): Promise<void> {
  try {
    // Symbolic links do not exist yet: whatever is found is a file that this archive brought.
    await link(existing, path);
  } catch (error) {
    throw new ArchiveFault(
      'unsafe',
      `The hard link ${shown(member.path)} names no earlier file of the archive.`,
      error,
    );
  }
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === '.' ? '' : parent;
}

/** The folder itself last: until then nobody else can come in and put a link where the next step goes. */
async function giveTo(folder: string, owner: { uid: number; gid: number }): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await giveTo(path, owner);
      else await lchown(path, owner.uid, owner.gid);
    }),
  );
  await lchown(folder, owner.uid, owner.gid);
}
