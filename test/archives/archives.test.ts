import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { extractArchive, inspectArchive } from '../../src/archives/index.js';
import { type PackedMember, tar, zip } from './pack.js';

import { limits, place, refused } from './place.js';

const PACKERS: Array<[string, (members: PackedMember[]) => Buffer]> = [
  ['zip', zip],
  ['tar', tar],
  ['tar.gz', (members) => zlib.gzipSync(tar(members))],
  ['tar.bz2', (members) => execFileSync('bzip2', ['-c'], { input: tar(members) })],
];

describe.each(PACKERS)('an archive in format %s', (_name, pack) => {
  it('unpacks to the files that went in, executable ones kept so', async () => {
    const { file, folder } = await place(
      pack([
        { name: 'a.txt', content: 'one' },
        { name: 'bin/' },
        { name: 'bin/run', content: '#!/bin/sh\n', mode: 0o104755 },
        { name: './deep/er/b.bin', content: Buffer.alloc(200_000, 7) },
        { name: 'empty' },
      ]),
    );
    await extractArchive(file, folder, limits);
    expect((await readdir(folder)).sort()).toEqual(['a.txt', 'bin', 'deep', 'empty']);
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('one');
    expect((await stat(join(folder, 'a.txt'))).mode & 0o7777 & 0o111).toBe(0);
    const run = (await stat(join(folder, 'bin/run'))).mode;
    expect(run & 0o100).toBe(0o100);
    expect(run & 0o7000).toBe(0);
    expect((await readFile(join(folder, 'deep/er/b.bin'))).equals(Buffer.alloc(200_000, 7))).toBe(true);
    expect((await stat(join(folder, 'empty'))).size).toBe(0);
  });

  it('loses a single top-level directory, which then is its root', async () => {
    const { file, folder } = await place(
      pack([
        { name: 'app/package.json', content: '{}' },
        { name: 'app/lib/x.js', content: '1' },
        { name: '__MACOSX/junk', content: 'x' },
      ]),
    );
    expect(await inspectArchive(file, limits)).toMatchObject({
      root: 'app',
      top: ['package.json', 'lib'],
      type: 'zip',
    });
    await extractArchive(file, folder, limits);
    expect((await readdir(folder)).sort()).toEqual(['lib', 'package.json']);
  });

  it.each([
    ['../x', 'absolute'],
    ['a/../../x', 'absolute'],
    ['a/..', 'absolute'],
    ['/etc/cron.d/x', 'absolute'],
    ['C:/x', 'absolute'],
    ['a\\..\\x', 'unsafe'],
    ['a\u0001b', 'unsafe'],
  ] as const)('is refused for a member named %j', (name, kind) =>
    refused(
      pack([
        { name: 'ok', content: '1' },
        { name, content: 'x' },
      ]),
      kind,
      /member/,
    ),
  );

  it('is refused for two members of one name, also when spelled otherwise', async () => {
    await refused(
      pack([
        { name: 'a', content: '1' },
        { name: 'a', content: '2' },
      ]),
      'unsafe',
      /more than one/,
    );
    await refused(
      pack([
        { name: 'd/a', content: '1' },
        { name: './d//a', content: '2' },
      ]),
      'unsafe',
      /more than one/,
    );
  });

  it('is refused for a member below a file', () =>
    refused(
      pack([
        { name: 'a', content: '1' },
        { name: 'a/b', content: '2' },
      ]),
      'unsafe',
      /more than one/,
    ));

  it('is refused when empty', async () => {
    const { file, folder, around } = await place(pack([]));
    await expect(inspectArchive(file, limits)).rejects.toMatchObject({ code: 'InvalidValue' });
    await expect(extractArchive(file, folder, limits)).rejects.toMatchObject({ code: 'InvalidValue' });
    expect(await around()).toEqual(['archive']);
  });

  it('is refused with too many members or bytes', async () => {
    const members = Array.from({ length: 30 }, (_, index) => ({ name: `f${index}`, content: 'x'.repeat(1000) }));
    const { file, folder, around } = await place(pack(members));
    const few = { ...limits, entries: 29 };
    await expect(extractArchive(file, folder, few)).rejects.toMatchObject({ kind: 'limit', message: /29 members/ });
    const small = { ...limits, totalBytes: 20_000 };
    await expect(inspectArchive(file, small)).rejects.toMatchObject({ kind: 'limit', message: /20000 bytes/ });
    await expect(extractArchive(file, folder, small)).rejects.toMatchObject({ kind: 'limit' });
    expect(await around()).toEqual(['archive']);
  });

  it('is refused as a bomb by its ratio', async () => {
    const { file, folder, around } = await place(pack([{ name: 'zeros', content: Buffer.alloc(3_000_000) }]));
    const tight = { ...limits, ratio: 0.5, ratioFloor: 1_000_000 };
    await expect(extractArchive(file, folder, tight)).rejects.toMatchObject({ kind: 'limit', message: /bomb/ });
    expect(await around()).toEqual(['archive']);
  });

  it('is refused when cut off anywhere', async () => {
    const whole = pack([{ name: 'a', content: noise(5000) }]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (length) => {
        const { file, folder, around } = await place(whole.subarray(0, length));
        await expect(extractArchive(file, folder, limits)).rejects.toMatchObject({ code: 'InvalidValue' });
        expect(await around()).toEqual(['archive']);
      }),
      { numRuns: 12 },
    );
  });

  it('ends soon when aborted', async () => {
    const { file, folder, around } = await place(pack([{ name: 'a', content: 'x' }]));
    const signal = AbortSignal.abort();
    await expect(extractArchive(file, folder, limits, { signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(await around()).toEqual(['archive']);
  });

  it('never writes outside of its folder, whatever its names and links', async () => {
    const part = fc.constantFrom('a', 'b', '..', '.', '', 'c', 'a ', 'é');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const member = fc.oneof(
      path.map((name): PackedMember => ({ name, content: 'x' })),
      fc
        .record({ name: path, target: path })
        .map(
          ({ name, target }): PackedMember =>
            pack === zip
              ? { name, content: target, mode: 0o120777 }
              : { name, type: '2', linkName: target, mode: 0o777 },
        ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 6 }), async (members) => {
        const { file, folder, around } = await place(pack(members.filter(({ name }) => name !== '')));
        const fault = await extractArchive(file, folder, limits).catch((error: unknown) => error);
        if (fault) expect(fault).toMatchObject({ code: 'InvalidValue' });
        expect(await around()).toEqual(fault ? ['archive'] : ['archive', 'out']);
        if (!fault) await expectEnclosed(folder);
      }),
      { numRuns: 60 },
    );
  });
});

/** Bytes that no packer makes shorter, the same each time. */
function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Every link below the folder ends inside of it, or nowhere. */
async function expectEnclosed(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const end = await realpath(path).catch((error: NodeJS.ErrnoException) => {
      expect(['ENOENT', 'ELOOP', 'ENOTDIR']).toContain(error.code);
      return folder;
    });
    expect(`${end}/`.startsWith(`${folder}/`)).toBe(true);
  }
}
