import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Compression, compressionOf, decompressor } from './compression.js';
import { ArchiveFault } from './fault.js';
import { type ArchiveLimits, createTally, type Tally } from './limits.js';
import { createLedger, type Visit } from './member.js';
import { visitTar } from './tar.js';
import { visitZip } from './zip.js';

const BLOCK = 512;

export interface Visited {
  format: 'zip' | 'tar';
  compression: Compression;
  tally: Tally;
}

/**
 * Goes through an archive once, whatever its format, and refuses dangerous members before the visitor sees them. As ConPaaS does, a tar
 * is looked for first, then a zip by its directory at the end (executable jars begin with a shell script).
 */
export async function visitArchive(
  file: string,
  limits: ArchiveLimits,
  visit: Visit,
  signal?: AbortSignal,
): Promise<Visited> {
  const tally = createTally(limits, (await stat(file)).size);
  const ledger = createLedger();
  const checked: Visit = async (member) => {
    ledger.add(member);
    await visit(member);
  };
  const compression = compressionOf(await firstBytes(file));
  if (isTarHeader(await firstBlock(file, compression))) {
    await visitTar(file, compression, tally, checked, signal);
    return { format: 'tar', compression, tally };
  }
  if (compression !== 'none')
    throw new ArchiveFault('format', `The file is ${compression} data, but no tar archive is in it.`);
  await visitZip(file, tally, checked, signal);
  return { format: 'zip', compression, tally };
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function firstBlock(file: string, compression: Compression): Promise<Buffer> {
  if (compression === 'none') return firstBytes(file);
  let block = Buffer.alloc(0);
  const enough = new Error('enough');
  const collector = new Writable({
    write(chunk: Buffer, _encoding, done) {
      block = Buffer.concat([block, chunk]);
      done(block.length >= BLOCK ? enough : null);
    },
  });
  await pipeline([createReadStream(file), ...decompressor(compression), collector]).catch((error: unknown) => {
    if (error === enough) return;
    if (error instanceof ArchiveFault) throw error;
    throw new ArchiveFault('format', `Invalid archive: damaged ${compression} data.`, error);
  });
  return block.subarray(0, BLOCK);
}

/** A tar header carries the sum of its own bytes, its own field taken as blanks. */
function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK) return false;
  const announced = Number.parseInt(block.subarray(148, 156).toString('latin1').replace(/\0.*$/s, '').trim(), 8);
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return announced === sum;
}
