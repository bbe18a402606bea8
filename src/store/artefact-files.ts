import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault } from '../domain/errors.js';
import type { ArtefactFiles, ReceiveOptions } from './store.js';

const TEMPORARY = 'tmp';
/** Bytes that are gathered while the disk is at work. */
const GATHERED = 1024 ** 2;
/** Bytes after which the disk is told to begin: otherwise it would begin at the end, and the client wait for all of them. */
const SYNC_EVERY = 32 * 1024 ** 2;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Artefacts as files `<folder>/<aa>/<sha256>`; uploads grow in `<folder>/tmp`, on the same file system. Several gateways may share the
 * folder. Private to the gateway's user.
 */
export async function openArtefactFiles(folder: string): Promise<ArtefactFiles> {
  await openTemporary(folder);
  const place = (sha256: string) => join(folder, checkedDigest(sha256).slice(0, 2), sha256);
  return {
    receive: (source, signal, options) =>
      receiveInto(folder, source, signal, options, (growing, { sha256 }) => moveIntoPlace(folder, growing, sha256)),
    open: (sha256, range) => createReadStream(place(sha256), range),
    size: async (sha256) => (await unlessMissing(stat(place(sha256))))?.size,
    touch: async (sha256) => {
      const now = new Date();
      return (await unlessMissing(utimes(place(sha256), now, now).then(() => true))) ?? false;
    },
    remove: (sha256) => rm(place(sha256), { force: true }),
    sweep: (inUse, minimumAge) => sweep(folder, inUse, Date.now() - minimumAge * 1000),
  };
}

/** Throws for what cannot name an artefact: it becomes a part of paths. */
export function checkedDigest(sha256: string): string {
  if (!SHA256.test(sha256)) throw new Error(`Not a SHA-256: ${JSON.stringify(sha256)}`);
  return sha256;
}

export interface Arrived {
  sha256: string;
  size: number;
}

/**
 * Lets an artefact grow in `<folder>/tmp`, has it looked at, and hands the complete file to `place`. It is gone afterwards, unless it
 * was moved away.
 */
export async function receiveInto(
  folder: string,
  source: Readable,
  signal: AbortSignal,
  { maximum = Number.POSITIVE_INFINITY, inspect }: ReceiveOptions = {},
  place: (growing: string, arrived: Arrived) => Promise<void>,
): Promise<Arrived> {
  const growing = join(folder, TEMPORARY, randomUUID());
  try {
    const arrived = await write(source, growing, maximum, signal);
    await inspect?.(growing);
    signal.throwIfAborted();
    await place(growing, arrived);
    return arrived;
  } catch (error) {
    throw understood(error);
  } finally {
    await rm(growing, { force: true });
  }
}

/** Makes the folder in which uploads grow. */
export async function openTemporary(folder: string): Promise<void> {
  await mkdir(join(folder, TEMPORARY), { recursive: true, mode: 0o700 });
}

/** Removes what dead uploads left. Returns how many. */
export async function sweepTemporary(folder: string, before: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(join(folder, TEMPORARY))) {
    const file = join(folder, TEMPORARY, name);
    if (!(await isOlder(file, before))) continue;
    await rm(file, { force: true });
    removed += 1;
  }
  return removed;
}

async function write(source: Readable, file: string, maximum: number, signal: AbortSignal): Promise<Arrived> {
  const hash = createHash('sha256');
  const handle = await open(file, 'wx', 0o600);
  const growing = handle.createWriteStream({ flush: true, highWaterMark: GATHERED });
  const closed = new Promise<void>((resolve) => growing.once('close', resolve));
  let size = 0;
  let synced = 0;
  let syncing: Promise<void> | undefined;
  const syncAhead = () => {
    if (syncing || size - synced < SYNC_EVERY) return;
    synced = size;
    // The kernel reports to one descriptor once what it could not write.
    syncing = handle.datasync().then(
      () => {
        syncing = undefined;
      },
      (error) => void growing.destroy(error),
    );
  };
  // Listens beside the pipe: a stage of it would cost more than the digest of a piece is worth.
  source.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maximum) {
      const text = `The artefact is larger than ${maximum} bytes, the most that is accepted.`;
      growing.destroy(new Fault('PayloadTooLarge', text));
      return;
    }
    hash.update(chunk);
    syncAhead();
  });
  try {
    await pipeline(source, growing, { signal });
  } finally {
    // An abort comes back at once, while something may still be written.
    await closed;
  }
  return { sha256: hash.digest('hex'), size };
}

/** A rename over a present equal file makes it young again, which keeps it from a sweep that runs at this moment. */
async function moveIntoPlace(folder: string, growing: string, sha256: string): Promise<void> {
  const shelf = join(folder, sha256.slice(0, 2));
  if (await mkdir(shelf, { recursive: true, mode: 0o700 })) await synchronise(folder);
  await rename(growing, join(shelf, sha256));
  await synchronise(shelf);
}

/** Without it a power cut may forget a name, though the bytes are on the disk. */
async function synchronise(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function understood(error: unknown): unknown {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new Fault('InvalidValue', 'The artefact ended before all of its bytes had arrived; send it again.', {
      cause: error,
    });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const text = 'The gateway has no room for the artefact: its disk is full.';
    return new Fault('ServiceUnavailable', text, { cause: error, retryAfter: 60 });
  }
  return error;
}

async function sweep(folder: string, inUse: Set<string>, before: number): Promise<number> {
  let removed = 0;
  // Others may keep things in a shared folder: lost+found, a note.
  const shelves = (await readdir(folder)).filter((name) => name === TEMPORARY || /^[0-9a-f]{2}$/.test(name));
  for (const shelf of shelves) {
    for (const name of await readdir(join(folder, shelf))) {
      const file = join(folder, shelf, name);
      const unused = shelf === TEMPORARY || (SHA256.test(name) && !inUse.has(name));
      if (unused && (await isOlder(file, before)) && (await removeOld(folder, file, before))) removed += 1;
    }
  }
  return removed;
}

async function isOlder(file: string, before: number): Promise<boolean> {
  const found = await unlessMissing(stat(file));
  return found !== undefined && found.mtimeMs < before;
}

/**
 * Between the look at a file and its removal an upload of the same bytes may have renewed it. So it is moved aside first, and put back
 * when it turns out to be young; one that arrives meanwhile in its place stays. Another sweep may have taken it from there already.
 */
async function removeOld(folder: string, file: string, before: number): Promise<boolean> {
  const aside = join(folder, TEMPORARY, randomUUID());
  const moved = await unlessMissing(rename(file, aside).then(() => true));
  if (!moved) return false;
  const old = await isOlder(aside, before);
  if (!old) await unlessMissing(link(aside, file)).catch(unlessPresent);
  await unlessMissing(unlink(aside));
  return old;
}

function unlessPresent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
