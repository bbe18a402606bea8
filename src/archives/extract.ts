import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, lchown, link, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  try {
    const unpacker = createUnpacker(partial);
    await mkdir(partial, { mode: 0o700 });
    await visitArchive(file, limits, unpacker.visit, options.signal);
    const root = commonRoot(unpacker.tops, unpacker.leaves);
    if (unpacker.tops.size === 0) throw new ArchiveFault('format', 'The archive is empty.');
    await unpacker.makeLinks(root);
    await chmod(join(partial, root), 0o700);
    if (options.owner) await giveTo(join(partial, root), options.owner);
    options.signal?.throwIfAborted();
    await rename(join(partial, root), folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

function createUnpacker(base: string) {
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
      await linkTo(join(base, member.linkPath ?? ''), path, member);
    } else {
      const target = createWriteStream(path, { flags: 'wx', mode: member.executable ? 0o755 : 0o644 });
      await pipeline(await member.open(), target).catch((error: NodeJS.ErrnoException) => {
        // A file system that ignores case, or composes accents, sees duplicates where the names differ.
        throw error.code === 'EEXIST' ? new ArchiveFault('unsafe', `Two members are ${shown(member.path)}.`) : error;
      });
    }
  };

  /** Last of all, so that nothing is ever written through a link, and when the root is known that none may leave. */
  const makeLinks = async (root: string) => {
    assertInnerTargets(links, root);
    for (const [path, target] of links) await symlink(target, join(base, path));
  };

  return { visit, makeLinks, tops, leaves };
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
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveTo(path, owner);
    else await lchown(path, owner.uid, owner.gid);
  }
  await lchown(folder, owner.uid, owner.gid);
}
