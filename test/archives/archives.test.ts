import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import {
  ArchiveFault,
  type ArchiveFaultKind,
  DEFAULT_ARCHIVE_LIMITS,
  extractArchive,
  inspectArchive,
} from '../../src/archives/index.js';
import { type PackedMember, tar, zip } from './pack.js';

let room: string;
let made = 0;
beforeAll(async () => {
  room = await realpath(await mkdtemp(join(tmpdir(), 'coaps-archives-')));
});
afterAll(() => rm(room, { recursive: true, force: true }));

const limits = DEFAULT_ARCHIVE_LIMITS;

/** A fresh folder with the archive in it and a place to unpack to; everything else in the folder is a leak. */
async function place(bytes: Buffer): Promise<{ file: string; folder: string; around: () => Promise<string[]> }> {
  made += 1;
  const base = join(room, `case-${made}`);
  await mkdir(base);
  const file = join(base, 'archive');
  await writeFile(file, bytes);
  return { file, folder: join(base, 'out'), around: () => readdir(base) };
}

async function refused(bytes: Buffer, kind: ArchiveFaultKind, text: RegExp, by: 'both' | 'extraction' = 'both') {
  const { file, folder, around } = await place(bytes);
  const inspected = await inspectArchive(file, limits).catch((error: unknown) => error);
  if (by === 'both')
    expect(inspected).toMatchObject({ kind, code: 'InvalidValue', message: expect.stringMatching(text) });
  const fault = await extractArchive(file, folder, limits).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(ArchiveFault);
  expect(fault).toMatchObject({ kind, message: expect.stringMatching(text) });
  expect(await around()).toEqual(['archive']);
}

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

describe('links', () => {
  const toLink = (pack: 'zip' | 'tar', name: string, target: string): Buffer =>
    pack === 'zip'
      ? zip([
          { name: 'f', content: '1' },
          { name, content: target, mode: 0o120777 },
        ])
      : tar([
          { name: 'f', content: '1' },
          { name, type: '2', linkName: target },
        ]);

  it.each(['zip', 'tar'] as const)('that stay inside are made (%s)', async (format) => {
    const { file, folder } = await place(toLink(format, 'd/e/link', '../../f'));
    await extractArchive(file, folder, limits);
    expect(await readlink(join(folder, 'd/e/link'))).toBe('../../f');
    expect(await readFile(join(folder, 'd/e/link'), 'utf8')).toBe('1');
  });

  it.each([
    ['d/link', '../../x', /leads out/],
    ['link', '/etc/passwd', /absolute/],
    ['link', 'd/../../x', /down and up/],
    ['link', '', /absolute or unusable/],
  ] as const)('%j to %j is refused', async (name, target, text) => {
    await refused(toLink('zip', name, target), 'unsafe', text);
    if (target !== '') await refused(toLink('tar', name, target), 'unsafe', text);
  });

  it('may not leave the single top-level directory that becomes the root', async () => {
    const members = [
      { name: 'app/f', content: '1' },
      { name: 'app/link', content: '../f', mode: 0o120777 },
    ];
    await refused(zip(members), 'unsafe', /leads out/);
  });

  it('are no way to write elsewhere', () =>
    refused(
      tar([
        { name: 'l', type: '2', linkName: 'd' },
        { name: 'l/x', content: '1' },
      ]),
      'unsafe',
      /more than one/,
    ));

  it('hard ones need an earlier file of the archive', async () => {
    const { file, folder } = await place(
      tar([
        { name: 'f', content: '1' },
        { name: 'h', type: '1', linkName: 'f' },
      ]),
    );
    await extractArchive(file, folder, limits);
    expect(await readFile(join(folder, 'h'), 'utf8')).toBe('1');
    await refused(tar([{ name: 'h', type: '1', linkName: 'etc/passwd' }]), 'unsafe', /no earlier file/);
    await refused(tar([{ name: 'h', type: '1', linkName: '/etc/passwd' }]), 'absolute', /absolute/);
  });
});

describe('what else is refused', () => {
  it.each([['3'], ['4'], ['6']])('a tar with a special file of type %s', (type) =>
    refused(tar([{ name: 'dev', type }]), 'unsafe', /device/),
  );
  it('a zip with a device', () => refused(zip([{ name: 'dev', mode: 0o020644 }]), 'unsafe', /device/));
  it('an encrypted zip', () => refused(zip([{ name: 'a', content: 'x', flags: 1 }]), 'format', /encrypted/));
  it('an unknown compression', () => refused(zip([{ name: 'a', content: 'x', method: 12 }]), 'format', /deflate/));
  it('a file that is no archive', () => refused(Buffer.from('hello, world'.repeat(100)), 'format', /Invalid archive/));
  it('an empty file', () => refused(Buffer.alloc(0), 'format', /Invalid archive/));
  it('a compressed file that is no tar', () => refused(zlib.gzipSync('hello'), 'format', /no tar/));

  it.each([
    ['more', 10],
    ['less', 5_000_000],
  ])('a zip member that holds %s than it announces', async (_what, announced) =>
    refused(
      zip([{ name: 'a', content: Buffer.alloc(100_000, 65), announced }]),
      'format',
      /Invalid archive/,
      'extraction',
    ),
  );

  it('a zip member that is damaged', async () => {
    const bytes = zip([{ name: 'a', content: 'abcdefgh' }]);
    bytes.writeUInt32LE(1, 14);
    const central = bytes.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
    bytes.writeUInt32LE(1, central + 16);
    await refused(bytes, 'format', /checksum/, 'extraction');
  });

  it('a bomb of ten gigabytes, before it is on the disk', async () => {
    const honest = zip([
      { name: 'bomb', content: 'x', announced: 0xfffffffe },
      { name: 'b', announced: 0xfffffffe },
    ]);
    await refused(honest, 'limit', /bomb/);
    const header = tar([{ name: 'bomb', content: 'x' }]).subarray(0, 512);
    header.write('77777777777\0', 124);
    header.write(' '.repeat(8), 148);
    header.write(
      `${header
        .reduce((total, byte) => total + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    await refused(zlib.gzipSync(header), 'limit', /bomb/);
    // A gzip of zeros that goes on: members of a gzip file follow one another.
    const zeros = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const start = zlib.gzipSync(tar([{ name: 'a', content: 'x' }]).subarray(0, 1024));
    const { file, folder, around } = await place(Buffer.concat([start, ...Array.from({ length: 160 }, () => zeros)]));
    await expect(extractArchive(file, folder, limits)).rejects.toMatchObject({
      kind: expect.stringMatching(/limit|format/),
    });
    expect(await around()).toEqual(['archive']);
  });
});

describe('the type of an artefact', () => {
  const manifest = {
    name: 'META-INF/MANIFEST.MF',
    content: 'Manifest-Version: 1.0\r\nMain-Class: org.exam\r\n ple.Main\r\n\r\n',
  };
  const typeOf = async (members: PackedMember[], prefix?: Buffer<ArrayBuffer>) =>
    inspectArchive((await place(zip(members, prefix))).file, limits);

  it('is war with WEB-INF, even alone', async () => {
    expect(await typeOf([{ name: 'WEB-INF/web.xml', content: '<web-app/>' }])).toMatchObject({ type: 'war', root: '' });
    expect(await typeOf([{ name: 'index.jsp' }, { name: 'WEB-INF/classes/A.class' }, manifest])).toMatchObject({
      type: 'war',
    });
  });
  it('is ear with an application.xml', async () => {
    expect(await typeOf([{ name: 'META-INF/application.xml' }, { name: 'w.war' }])).toMatchObject({ type: 'ear' });
  });
  it('is jar with a main class, also behind a shell script', async () => {
    const jar = [manifest, { name: 'org/example/Main.class' }];
    expect(await typeOf(jar)).toMatchObject({ type: 'jar', mainClass: 'org.example.Main' });
    expect(await typeOf(jar, Buffer.from(`#!/bin/bash\n${'# start\n'.repeat(200)}`))).toMatchObject({ type: 'jar' });
  });
  it('is zip for everything else, and for a wrapped war directory', async () => {
    expect(await typeOf([{ name: 'package.json' }, { name: 'index.js' }])).toMatchObject({ type: 'zip' });
    expect(await typeOf([{ name: 'app/WEB-INF/web.xml' }])).toMatchObject({ type: 'zip', root: 'app' });
    const { file } = await place(tar([{ name: 'WEB-INF/web.xml' }, { name: 'x' }]));
    expect(await inspectArchive(file, limits)).toMatchObject({ type: 'zip', format: 'tar' });
  });
});

it('gives the files to an owner when asked', async () => {
  if (process.getuid?.() !== 0) return console.log('skipped: only root can give files away');
  const { file, folder } = await place(zip([{ name: 'd/a', content: '1' }, { name: 'x' }]));
  await extractArchive(file, folder, limits, { owner: { uid: 200_123, gid: 200_123 } });
  for (const name of ['', 'd', 'd/a', 'x']) expect((await stat(join(folder, name))).uid).toBe(200_123);
});

it('does not touch what is at its target', async () => {
  const { file, folder } = await place(zip([{ name: 'a', content: '1' }, { name: 'b' }]));
  await mkdir(folder);
  await writeFile(join(folder, 'mine'), '1');
  await expect(extractArchive(file, folder, limits)).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  expect(existsSync(join(folder, 'mine'))).toBe(true);
});
