import type { Readable } from 'node:stream';
import { createTally, DEFAULT_ARCHIVE_LIMITS } from './limits.js';
import { visitZip } from './zip.js';

const FOUND = Symbol('found');

/** Bytes of one member of a zip or jar, at most `limit` of them; undefined when it has no such member. */
export async function readZipMember(file: string, path: string, limit: number): Promise<Buffer | undefined> {
  let content: Buffer | undefined;
  await visitZipFiles(file, async (name, open) => {
    if (name !== path) return true;
    content = await firstBytes(await open(), limit);
    return false;
  });
  return content;
}

/** Goes through the files of a zip or jar until the visitor answers false. */
export async function visitZipFiles(
  file: string,
  visit: (name: string, open: () => Promise<Readable>) => Promise<boolean>,
): Promise<void> {
  const tally = createTally({ ...DEFAULT_ARCHIVE_LIMITS, ratio: Number.MAX_VALUE }, 1);
  try {
    await visitZip(file, tally, async (member) => {
      if (member.type === 'file' && !(await visit(member.path, member.open))) throw FOUND;
    });
  } catch (error) {
    if (error !== FOUND) throw error;
  }
}

async function firstBytes(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
