import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ArchiveFault, extractArchive, inspectArchive } from '../../../src/archives/index.js';
import { type PackedMember, tar, zip } from '../../archives/pack.js';
import { type OpenTarget, type Target, Violation } from '../target.js';

const LIMITS = { entries: 100, totalBytes: 2 * 1024 ** 2, ratio: 100, ratioFloor: 256 * 1024 };
const FILES: PackedMember[] = [
  { name: 'app/index.html', content: '<h1>Hello</h1>' },
  { name: 'app/empty' },
  { name: 'app/bin/', type: '5' },
  { name: 'app/bin/run.sh', content: '#!/bin/sh\n', mode: 0o100755 },
];
const LINK: PackedMember = { name: 'app/link', mode: 0o120777, content: 'index.html' };

/**
 * Archives by their content. The first byte of an input tells what is done with the rest, so that mutations reach what lies inside:
 * `g` and `b` pack it with gzip and bzip2, `t` mends the sums of tar headers, `s` does both, everything else is taken as it is.
 */
export const ARCHIVES: Target = {
  name: 'archives',
  covers: ['/src/archives/', '/yauzl/', '/node_modules/tar/'],
  seeds: () => {
    const plainTar = tar([
      ...FILES,
      { name: 'app/l', type: '2', linkName: 'index.html' },
      { name: 'app/h', type: '1', linkName: 'app/index.html' },
    ]);
    const plainZip = zip([...FILES.filter(({ type }) => type === undefined), LINK]);
    const war = zip([
      { name: 'WEB-INF/web.xml', content: '<web-app/>' },
      { name: 'META-INF/MANIFEST.MF', content: 'Main-Class: a.B\r\n' },
    ]);
    return [
      ...['t', 'g', 'b', 's'].map((how) => as(how, plainTar)),
      as('z', plainZip),
      as('z', war),
      as('g', plainZip),
    ];
  },
  words: [
    'PK\x01\x02',
    'PK\x03\x04',
    'PK\x05\x06',
    'PK\x06\x06',
    'PK\x06\x07',
    '\x01\x00\x10\x00',
    '\xff\xff\xff\xff',
    '\x00\x00\x00\x00',
    '../',
    '/etc/passwd',
    '..\\',
    'C:\\',
    'app/',
    'ustar\x0000',
    'ustar  \x00',
    '././@LongLink',
    '00000000000\x00',
    '77777777777\x00',
    '\x80\x00\x00\x00\x00\x00\x00\x01',
    '0',
    '1',
    '2',
    '3',
    '5',
    'x',
    'g',
    'L',
    'K',
    '25 path=../../x\n',
    '30 linkpath=/etc/passwd\n',
    '20 size=99999999\n',
    '\0'.repeat(512),
    '\xc3\x28',
    'META-INF/MANIFEST.MF',
    'WEB-INF/',
  ],
  open: async () => openPlace(),
};

function as(how: string, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(how), bytes]);
}

function openPlace(): OpenTarget {
  const place = mkdtempSync(join(tmpdir(), 'fuzz-archives-'));
  const [file, second] = [join(place, 'archive'), join(place, 'second')];
  return {
    async run(input) {
      writeFileSync(file, shaped(input));
      try {
        await judge(place, file, second);
      } finally {
        for (const name of readdirSync(place)) rmSync(join(place, name), { recursive: true, force: true });
      }
    },
    close: async () => rmSync(place, { recursive: true, force: true }),
  };
}

function shaped(input: Buffer): Buffer {
  const [how, rest] = [String.fromCharCode(input[0] ?? 0), input.subarray(1)];
  const content = how === 't' || how === 's' ? withSums(rest) : rest;
  if (how === 'g' || how === 's') return gzipSync(content);
  return how === 'b' ? execFileSync('bzip2', ['-c'], { input: content, stdio: ['pipe', 'pipe', 'ignore'] }) : content;
}

/** Every block that could be a tar header gets the sum that makes it one. */
function withSums(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 0; at + 512 <= copy.length; at += 512) {
    const block = copy.subarray(at, at + 512);
    if (!block.subarray(257, 262).equals(Buffer.from('ustar'))) continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return copy;
}

async function judge(place: string, file: string, second: string): Promise<void> {
  const report = await unlessRefused(inspectArchive(file, LIMITS));
  const folder = join(place, 'out');
  const extracted = await unlessRefused(extractArchive(file, folder, LIMITS).then(() => true));
  const left = readdirSync(place).filter((name) => !['archive', ...(extracted ? ['out'] : [])].includes(name));
  if (left.length > 0) throw new Violation(`it left ${left.join(', ')} behind`);
  if (extracted && !report) throw new Violation('it was refused when it was looked at, and unpacked');
  if (!extracted) return;
  const tree = treeOf(folder);
  if (tree.size > LIMITS.entries * 3) throw new Violation(`it made ${tree.size} things`);
  const members: PackedMember[] = [...tree].map(([name, { content, mode }]) => ({ name, content, mode }));
  // An archive of nothing is refused, and so a folder of folders cannot come back.
  if (members.every(({ name }) => name.endsWith('/'))) return;
  writeFileSync(second, zip(members));
  await extractArchive(second, join(place, 'again'), LIMITS);
  const again = treeOf(join(place, 'again'));
  const [one, other] = [tree, again].map((each) =>
    [...each].map(([name, { content, mode }]) => [name, content.toString('latin1'), mode]),
  );
  const isRoot = new Set(members.map(({ name }) => name.split('/')[0])).size === 1;
  // A single folder at the top counts as the root, and is left out.
  if (!isRoot && !isDeepStrictEqual(one, other))
    throw new Violation('it comes out otherwise after it was packed again');
}

async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ArchiveFault) return undefined;
    throw error;
  }
}

/** Everything below, links by their targets; what leads out or is special is a violation. */
function treeOf(folder: string): Map<string, { content: Buffer; mode: number }> {
  const tree = new Map<string, { content: Buffer; mode: number }>();
  let bytes = 0;
  for (const name of (readdirSync(folder, { recursive: true, encoding: 'utf8' }) as string[]).sort()) {
    const path = join(folder, name);
    const info = lstatSync(path);
    if ((info.mode & 0o7000) !== 0) throw new Violation(`${name} has mode ${info.mode.toString(8)}`);
    if (info.isDirectory()) tree.set(`${name}/`, { content: Buffer.alloc(0), mode: 0o040755 });
    else if (info.isSymbolicLink()) {
      const target = leadsTo(path);
      if (target !== undefined && target !== folder && !target.startsWith(folder + sep))
        throw new Violation(`${name} leads to ${target}`);
      tree.set(name, { content: Buffer.from(readlinkSync(path)), mode: 0o120777 });
    } else if (info.isFile()) {
      bytes += info.nlink === 1 ? info.size : 0;
      tree.set(name, { content: readFileSync(path), mode: (info.mode & 0o111) === 0 ? 0o100644 : 0o100755 });
    } else throw new Violation(`${name} is no file, folder or link`);
  }
  if (bytes > LIMITS.totalBytes) throw new Violation(`it unpacked to ${bytes} bytes`);
  return tree;
}

/** Undefined: to nothing, or in a circle. */
function leadsTo(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
