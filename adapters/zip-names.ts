import type { Readable } from 'node:stream';

const TAIL = 8 * 1024 * 1024;
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const MANY = 20_000;

/**
 * The names in a zip archive, from its directory at the end; undefined when there is none to be found. The archive was examined when it
 * was received: here nothing is unpacked, one look says which language it is written in.
 */
export async function zipNames(source: Readable): Promise<string[] | undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  let size = 0;
  for await (const piece of source) {
    pieces.push(piece as Buffer);
    length += (piece as Buffer).length;
    size += (piece as Buffer).length;
    if (length > 2 * TAIL) {
      pieces = [Buffer.concat(pieces).subarray(-TAIL)];
      length = TAIL;
    }
  }
  return directory(Buffer.concat(pieces), size);
}

function directory(tail: Buffer, size: number): string[] | undefined {
  const end = findEnd(tail);
  if (end === undefined) return undefined;
  const start = tail.readUInt32LE(end + 16) - (size - tail.length);
  if (start < 0 || start > end) return undefined;
  const names: string[] = [];
  let at = start;
  while (at + 46 <= end && names.length < MANY && tail.readUInt32LE(at) === ENTRY) {
    const name = tail.readUInt16LE(at + 28);
    names.push(tail.toString('utf8', at + 46, at + 46 + name));
    at += 46 + name + tail.readUInt16LE(at + 30) + tail.readUInt16LE(at + 32);
  }
  return names.length === 0 ? undefined : names;
}

/** The end record is followed by a comment of at most 64 KiB. */
function findEnd(tail: Buffer): number | undefined {
  const first = Math.max(0, tail.length - 22 - 0xffff);
  for (let at = tail.length - 22; at >= first; at -= 1) {
    if (tail.readUInt32LE(at) === END) return at;
  }
  return undefined;
}
