import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ArchiveFault, shown } from './fault.js';

/** One member, whatever the format. `path` is normalised: relative, `/` between parts, no `.` and no empty parts; `''` is the root. */
export interface Member {
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'hardlink';
  executable: boolean;
  /** Bytes as announced; what arrives is checked against it. */
  size: number;
  /** Target of a hard link: another member's path. */
  linkPath?: string;
  /** The bytes of a file, or the target of a symbolic link. Called at most once, during the visit. */
  open(): Promise<Readable>;
}

export type Visit = (member: Member) => Promise<void>;

const LONGEST_NAME = 255;
const LONGEST_PATH = 3072;

/**
 * The normalised path of a member. Throws for anything that could mean a place outside of the folder on any operating system, rather
 * than mending it: an archive that carries such a name was made to attack.
 */
export function memberPath(name: string): string {
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) {
    throw new ArchiveFault('absolute', `The archive has a member with an absolute name: ${shown(name)}.`);
  }
  if (/[\u0000-\u001f\u007f\\]/.test(name)) {
    throw new ArchiveFault('unsafe', `The archive has a member with a backslash or control character: ${shown(name)}.`);
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    throw new ArchiveFault('absolute', `The archive has a member that leads out of it: ${shown(name)}.`);
  }
  const path = parts.join('/');
  if (Buffer.byteLength(path) > LONGEST_PATH || parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME)) {
    throw new ArchiveFault('unsafe', `The archive has a member with too long a name: ${shown(name)}.`);
  }
  return path;
}

const LONGEST_TARGET = 4096;

export async function readTarget(member: Member): Promise<string> {
  if (member.size > LONGEST_TARGET) throw new ArchiveFault('unsafe', `The link ${shown(member.path)} is too long.`);
  return text(await member.open());
}

/**
 * Refuses symbolic links that leave the root. `..` is allowed only at the beginning of a target: the link's own directories are never
 * links (see createLedger), so those steps are exact, and what follows only goes down, from link to link.
 */
export function assertInnerTargets(links: ReadonlyMap<string, string>, root: string): void {
  for (const [path, target] of links) {
    assertInnerTarget(root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path, target);
  }
}

function assertInnerTarget(linkPath: string, target: string): void {
  const refuse = (why: string) =>
    new ArchiveFault('unsafe', `The symbolic link ${shown(linkPath)} ${why}: ${shown(target)}.`);
  if (target === '' || target.startsWith('/') || /^[A-Za-z]:|[\u0000-\u001f\u007f\\]/.test(target)) {
    throw refuse('has an absolute or unusable target');
  }
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const down = parts.findIndex((part) => part !== '..');
  const up = down === -1 ? parts.length : down;
  if (up > linkPath.split('/').length - 1) throw refuse('leads out of the archive');
  if (parts.slice(up).includes('..')) throw refuse('goes down and up again');
}

export interface Ledger {
  /** Takes the member into account; throws when it collides with an earlier one. */
  add(member: Member): void;
}

/** Refuses duplicates, hard links to anything but an earlier member, and members below something that is no directory (a file, or a link to write through). */
export function createLedger(): Ledger {
  const seen = new Map<string, 'leaf' | 'directory'>();
  const collision = (path: string) =>
    new ArchiveFault('unsafe', `The archive has more than one member at ${shown(path)}.`);
  return {
    add({ path, type, linkPath }) {
      if (type === 'hardlink' && seen.get(linkPath ?? '') !== 'leaf') {
        throw new ArchiveFault('unsafe', `The hard link ${shown(path)} names no earlier file of the archive.`);
      }
      for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
        const parent = path.slice(0, cut);
        const known = seen.get(parent);
        if (known === 'leaf') throw collision(parent);
        if (known === 'directory') break;
        seen.set(parent, 'directory');
      }
      const known = seen.get(path);
      if (type === 'directory' ? known === 'leaf' : known !== undefined || path === '') throw collision(path);
      seen.set(path, type === 'directory' ? 'directory' : 'leaf');
    },
  };
}
