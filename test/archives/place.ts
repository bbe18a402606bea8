import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArchiveFault,
  type ArchiveFaultKind,
  DEFAULT_ARCHIVE_LIMITS,
  extractArchive,
  inspectArchive,
} from '../../src/archives/index.js';

let room: string;
let made = 0;
beforeAll(async () => {
  room = await realpath(await mkdtemp(join(tmpdir(), 'coaps-archives-')));
});
afterAll(() => rm(room, { recursive: true, force: true }));

export const limits = DEFAULT_ARCHIVE_LIMITS;

/** A fresh folder with the archive in it and a place to unpack to; everything else in the folder is a leak. */
export async function place(bytes: Buffer): Promise<{ file: string; folder: string; around: () => Promise<string[]> }> {
  made += 1;
  const base = join(room, `case-${made}`);
  await mkdir(base);
  const file = join(base, 'archive');
  await writeFile(file, bytes);
  return { file, folder: join(base, 'out'), around: () => readdir(base) };
}

export async function refused(bytes: Buffer, kind: ArchiveFaultKind, text: RegExp, by: 'both' | 'extraction' = 'both') {
  const { file, folder, around } = await place(bytes);
  const inspected = await inspectArchive(file, limits).catch((error: unknown) => error);
  if (by === 'both')
    expect(inspected).toMatchObject({ kind, code: 'InvalidValue', message: expect.stringMatching(text) });
  const fault = await extractArchive(file, folder, limits).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(ArchiveFault);
  expect(fault).toMatchObject({ kind, message: expect.stringMatching(text) });
  expect(await around()).toEqual(['archive']);
}
