import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Fault } from '../domain/errors.js';

/** Holds the lock and nothing else: a process that opens and closes this file itself would lose it (POSIX). */
const LOCK = 'gateway.lock';

/** The directory where one gateway keeps everything. Held by one process at a time. */
export interface DataDirectory {
  readonly path: string;
  /** Random, of this directory for ever: who works in it, whatever process that is. */
  readonly id: string;
  /** A folder in it, for this user alone. */
  folder(name: string): string;
  release(): void;
}

/** Another process holds the directory. */
export class DirectoryHeld extends Error {
  override readonly name = 'DirectoryHeld';
}

/**
 * Makes the directory if need be and locks it. The lock is the kernel's (SQLite's on a file of its own): it ends with the process,
 * however that ends, so nothing stale can remain, and it also holds between containers that share a volume.
 */
export function openDataDirectory(path: string): DataDirectory {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // Running applications with Unix ids of their own walk through it to their files: the right to do so stays when it was given.
  chmodSync(path, statSync(path).mode & 0o711);
  const holder = join(path, 'gateway.pid');
  const lock = takeLock(join(path, LOCK), () => {
    throw new DirectoryHeld(
      `${path} is in use by another gateway${pidIn(holder)}: end that one, or set COAPS_DATA to another directory.`,
    );
  });
  writeFileSync(holder, `${process.pid}\n`);
  return {
    path,
    id: idIn(join(path, 'gateway.id')),
    folder: (name) => folderIn(path, name),
    release: () => lock.close(),
  };
}

/** A folder of a data directory, for this user alone. */
export function folderIn(path: string, name: string): string {
  const folder = join(path, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** For tools: root would leave files behind that the gateway's user cannot open. A directory that is not there is anybody's. */
export function assertOwner(path: string): void {
  const own = process.getuid?.();
  const uid = existsSync(path) ? statSync(path).uid : own;
  if (own === undefined || uid === own) return;
  throw new Fault('AccessDenied', `${path} belongs to the user with id ${uid}: run this as that user.`);
}

/** `held`: a gateway runs on it, or that cannot be found out. `none`: no gateway ever did. */
export function directoryState(path: string): 'held' | 'free' | 'none' {
  const file = join(path, LOCK);
  if (!existsSync(file)) return 'none';
  try {
    takeLock(file, () => {
      throw new DirectoryHeld();
    }).close();
    return 'free';
  } catch {
    return 'held';
  }
}

function takeLock(file: string, held: () => never): Database.Database {
  const lock = new Database(file, { timeout: 0 });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) held();
    throw error;
  }
}

/** Written at the first start, while the lock is held. */
function idIn(file: string): string {
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8').trim();
    if (kept !== '') return kept;
  }
  const made = randomUUID();
  writeFileSync(file, `${made}\n`, { mode: 0o600, flush: true });
  return made;
}

function pidIn(file: string): string {
  try {
    const pid = readFileSync(file, 'utf8').trim();
    return /^\d+$/.test(pid) ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}
