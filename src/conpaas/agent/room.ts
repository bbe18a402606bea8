import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, copyFile, cp, lstat, mkdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { builtFile } from '../package-root.js';
import type { Owner } from './processes.js';

/**
 * Folders of one agent's application. The agent may be root and its owner is a stranger: so that no link of the stranger's leads root
 * astray, root writes only into folders that are its own (the owner's group may go through), and what it hands over it never writes
 * to again.
 */
export interface Room {
  path: string;
  owner: Owner | null;
  /** Root's. Unpacked code: one folder for each version, the owner's. */
  code: string;
  /** Root's. What runtimes make for a version, e.g. a CATALINA_BASE: one folder for each, the owner's. */
  work: string;
  /** Root's. Programs that the owner may run. */
  tools: string;
  /** Root's. Data of a generic service: one folder for each volume, the owner's. */
  volumes: string;
  /** The owner's. */
  home: string;
  /** The owner's, emptied at the agent's start. */
  temp: string;
}

/** Below a room, where a database server has its data: the owner's. */
export const DATABASE_FOLDER = 'database';

export async function openRoom(path: string, owner: Owner | null): Promise<Room> {
  const room: Room = {
    path,
    owner,
    code: join(path, 'code'),
    work: join(path, 'work'),
    tools: join(path, 'tools'),
    volumes: join(path, 'volumes'),
    home: join(path, 'home'),
    temp: join(path, 'tmp'),
  };
  await removeOwned(room.temp, owner);
  for (const folder of [path, room.code, room.work, room.tools, room.volumes]) await makePassage(folder, owner);
  for (const folder of [room.home, room.temp]) await ownFolder(folder, owner);
  return room;
}

/** A folder of the owner's below a room. */
export async function ownFolder(path: string, owner: Owner | null): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await handOver(path, owner);
}

/**
 * Puts the programs of our own that run as the owner where the owner can read them: the package may lie elsewhere, and an upgrade may
 * replace it while the agent lives on.
 */
export async function installPrograms(room: Room): Promise<void> {
  const target = join(room.tools, 'programs');
  await cp(builtFile('src', 'conpaas', 'agent', 'programs'), target, { recursive: true });
  await writeFile(join(target, 'package.json'), '{"type":"module"}\n');
  await run('chmod', ['-R', 'a+rX', target]);
}

/** Writes a file that the owner may read, and gives its path. */
export async function writeTool(room: Room, name: string, content: string): Promise<string> {
  const path = join(room.tools, name);
  await writeFile(path, content);
  // The agent's umask closes what it makes; the folder keeps everybody but the owner out.
  await chmod(path, 0o644);
  return path;
}

/** The same for what the owner alone may read. */
export async function writeSecret(room: Room, name: string, content: string): Promise<string> {
  const path = join(room.tools, name);
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, content, { mode: 0o600, flag: 'wx' });
  if (room.owner) await chown(fresh, room.owner.uid, room.owner.gid);
  await rename(fresh, path);
  return path;
}

/** A folder of the agent's that the owner may go through and read. */
async function makePassage(path: string, owner: Owner | null): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner) await chown(path, process.getuid?.() ?? 0, owner.gid);
  await chmod(path, owner ? 0o750 : 0o700);
}

async function handOver(folder: string, owner: Owner | null): Promise<void> {
  await chmod(folder, 0o700);
  if (owner) await chown(folder, owner.uid, owner.gid);
}

/** Makes a folder with the given files below a folder of the agent's, and hands it over complete. Files already there stay. */
export async function makeOwned(
  path: string,
  owner: Owner | null,
  fill: (partial: string) => Promise<void>,
): Promise<void> {
  if (await stat(path).catch(() => undefined)) return;
  const partial = `${path}.new`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await fill(partial);
  if (owner) await run('chown', ['-R', '-h', `${owner.uid}:${owner.gid}`, partial]);
  await rename(partial, path);
}

/** Removes what the owner may have filled, with the owner's rights: its links and races then reach nothing else. */
export async function removeOwned(path: string, owner: Owner | null): Promise<void> {
  if (!owner) return rm(path, { recursive: true, force: true });
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  // The folder itself is given to the owner last: one that is still ours was never within his reach, nor can he remove it.
  if (found.uid !== owner.uid) return rm(path, { recursive: true, force: true });
  // rm cannot take the folder itself out of a parent that is the agent's; what else it leaves, rmdir reports.
  await run('/bin/sh', ['-c', 'chmod -R u+rwX -- "$1"; rm -rf -- "$1"', 'sh', path], owner).catch(() => {});
  await rmdir(path);
}

function run(program: string, args: string[], owner?: Owner): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { ...owner, cwd: '/', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } };
    execFile(program, args, options, (error) => (error ? reject(error) : resolve()));
  });
}

/** Whether anybody may go through all folders to the path, and read it or pass it. */
export async function isReachable(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (!found || (found.mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/** The program at `path`, or where its owner cannot come there (node in /root/.nvm) a copy in the room. */
export async function reachableProgram(path: string, room: Room): Promise<string> {
  if (!room.owner || (await isReachable(path))) return path;
  const copy = join(room.tools, basename(path));
  const [there, here] = await Promise.all([stat(path), stat(copy).catch(() => undefined)]);
  if (here?.size === there.size) return copy;
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  await chmod(copy, 0o755);
  return copy;
}

/** The same for a folder of programs, e.g. npm's. */
export async function reachableFolder(path: string, room: Room): Promise<string> {
  if (!room.owner || (await isReachable(path))) return path;
  const copy = join(room.tools, basename(path));
  await cp(path, copy, { recursive: true, dereference: true });
  await run('chmod', ['-R', 'a+rX', copy]);
  return copy;
}
