import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { extractArchive, inspectArchive } from '../../src/archives/index.js';
import { type PackedMember, tar, zip } from './pack.js';

import { limits, place, refused } from './place.js';

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
