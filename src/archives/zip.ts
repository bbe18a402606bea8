import { type Readable, Transform } from 'node:stream';
import zlib from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { ArchiveFault, shown } from './fault.js';
import type { Tally } from './limits.js';
import { type Member, memberPath, type Visit } from './member.js';

const S_IFMT = 0o170000;
/** 0: the packer wrote no mode. */
const KINDS = new Map<number, Member['type']>([
  [0, 'file'],
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
]);

/**
 * Visits every member in the order of the central directory. Announced sizes count before anything is unpacked, so an honest bomb is
 * refused by its directory alone; a lying one ends at the announced size.
 */
export async function visitZip(file: string, tally: Tally, visit: Visit, signal?: AbortSignal): Promise<void> {
  const zip = await openZip(file);
  try {
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      tally.entry();
      tally.bytes(entry.uncompressedSize);
      await visit(toMember(zip, entry));
    }
  } catch (error) {
    throw asFault(error);
  } finally {
    zip.close();
  }
}

export async function openZip(file: string): Promise<ZipFile> {
  try {
    // Names are decoded and judged in member.ts: yauzl's own refusals cannot be told apart.
    return await yauzl.openPromise(file, { autoClose: false, decodeStrings: false, validateEntrySizes: true });
  } catch (error) {
    throw asFault(error);
  }
}

function toMember(zip: ZipFile, entry: Entry): Member {
  const name = yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
  const path = memberPath(name);
  if (entry.isEncrypted()) throw new ArchiveFault('format', `The member ${shown(name)} is encrypted.`);
  if (!entry.canDecodeFileData()) {
    throw new ArchiveFault(
      'format',
      `The member ${shown(name)} uses compression method ${entry.compressionMethod}; pack with deflate.`,
    );
  }
  const mode = unixMode(entry);
  const type = name.endsWith('/') ? 'directory' : KINDS.get(mode & S_IFMT);
  if (!type) throw new ArchiveFault('unsafe', `The member ${shown(name)} is a device or another special file.`);
  const executable = type === 'file' && (mode & 0o111) !== 0;
  return { path, type, executable, size: entry.uncompressedSize, open: () => openEntry(zip, entry, name) };
}

/** Only packers that ran on Unix (3) or macOS (19) write modes there. */
function unixMode(entry: Entry): number {
  const host = entry.versionMadeBy >>> 8;
  return host === 3 || host === 19 ? entry.externalFileAttributes >>> 16 : 0;
}

async function openEntry(zip: ZipFile, entry: Entry, name: string): Promise<Readable> {
  const source = await zip.openReadStreamPromise(entry);
  let crc = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      crc = zlib.crc32(chunk, crc);
      done(null, chunk);
    },
    flush(done) {
      done(crc === entry.crc32 ? null : new ArchiveFault('format', `The member ${shown(name)} is damaged (checksum).`));
    },
  });
  source.on('error', (error) => checked.destroy(asFault(error)));
  checked.on('close', () => source.destroy());
  return source.pipe(checked);
}

/** yauzl reports every fault of the archive as a plain Error; what the file system says has a code. */
function asFault(error: unknown): Error {
  if (error instanceof ArchiveFault || typeof error === 'symbol') return error as Error;
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError' || (code !== undefined && !/^(Z_|ERR_)/.test(code))) return error as Error;
  return new ArchiveFault('format', `Invalid archive: ${message}.`, error);
}
