import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ArchiveFault } from '../../archives/fault.js';
import { createTally } from '../../archives/limits.js';
import { visitTar } from '../../archives/tar.js';
import { Fault } from '../../domain/errors.js';
import { CHECKSUMS, type Checksums, FORMAT, HEADER, type Header, kindOf, type MemberSum } from './format.js';

export interface MemberVisit {
  name: string;
  size: number;
  open(): Promise<Readable>;
}

const UNLIMITED = {
  entries: Number.MAX_SAFE_INTEGER,
  totalBytes: Number.MAX_SAFE_INTEGER,
  ratio: 1,
  ratioFloor: Number.MAX_SAFE_INTEGER,
};

/** Goes through the members of a backup in their order. Throws Fault InvalidValue for what is no tar. */
export async function readMembers(file: string, visit: (member: MemberVisit) => Promise<void>): Promise<void> {
  await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new Fault('NotFound', `${file} cannot be read (${error.code}).`, { cause: error });
  });
  await visitTar(file, 'none', createTally(UNLIMITED, 1), ({ path, size, open }) =>
    visit({ name: path, size, open }),
  ).catch((error: unknown) => {
    if (!(error instanceof ArchiveFault)) throw error;
    throw damaged(file, 'it is no complete tar file', error);
  });
}

/**
 * Reads the whole backup and compares every member with its checksum. Throws Fault InvalidValue when a byte is another one, anything is
 * missing or more than there should be, or the backup is of a newer program.
 */
export async function verifyBackup(file: string, told: (text: string) => void): Promise<Header> {
  const found: MemberSum[] = [];
  let header: Header | undefined;
  let checksums: Checksums | undefined;
  let bytes = 0;
  await readMembers(file, async ({ name, size, open }) => {
    if (checksums) throw damaged(file, `${name} follows its end`);
    if (name === CHECKSUMS) {
      checksums = await readJson<Checksums>(file, await open());
      return;
    }
    if (name === HEADER) {
      const text = await buffer(await open());
      header = parsed<Header>(file, text);
      found.push({ name, size: text.length, sha256: createHash('sha256').update(text).digest('hex') });
      return;
    }
    if (!header || !kindOf(name)) throw damaged(file, `${name} does not belong there`);
    found.push(await sumOf(name, await open()));
    bytes += size;
    told(`${Math.round(bytes / 1024 ** 2)} MB`);
  });
  if (!header || !checksums) throw damaged(file, 'its end is missing');
  if (header.format !== FORMAT) {
    throw new Fault(
      'NotSupported',
      `${file} has format ${header.format}; this program reads ${FORMAT}. Use the version that wrote it (${header.program}).`,
    );
  }
  compare(file, checksums.members, found);
  return header;
}

async function sumOf(name: string, source: Readable): Promise<MemberSum> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { name, size, sha256: hash.digest('hex') };
}

function compare(file: string, announced: readonly MemberSum[], found: readonly MemberSum[]): void {
  const sums = new Map(found.map((sum) => [sum.name, sum]));
  if (sums.size !== found.length) throw damaged(file, 'it has a member twice');
  for (const { name, size, sha256 } of announced) {
    const sum = sums.get(name);
    if (!sum) throw damaged(file, `${name} is missing`);
    if (sum.size !== size || sum.sha256 !== sha256) throw damaged(file, `${name} has another checksum`);
  }
  if (announced.length !== found.length) throw damaged(file, 'it has more members than it was written with');
}

async function readJson<T>(file: string, source: Readable): Promise<T> {
  return parsed<T>(file, await buffer(source));
}

function parsed<T>(file: string, text: Buffer): T {
  try {
    return JSON.parse(text.toString('utf8')) as T;
  } catch (error) {
    throw damaged(file, 'its own description cannot be read', error);
  }
}

function damaged(file: string, why: string, cause?: unknown): Fault {
  return new Fault('InvalidValue', `${file} is no backup, or damaged: ${why}. Nothing was changed.`, { cause });
}
