import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openArtefactFiles } from '../../src/store/artefact-files.js';
import { type ArtefactBench, artefactContractSuite } from '../contract/artefacts.js';

interface Bench extends ArtefactBench {
  folder: string;
  place(sha256: string): string;
}

async function openBench(): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), 'coaps-files-'));
  const folder = join(root, 'artefacts');
  const place = (hash: string) => join(folder, hash.slice(0, 2), hash);
  const makeOlder = (file: string, seconds: number) => {
    const then = Date.now() / 1000 - seconds;
    utimesSync(file, then, then);
  };
  return {
    folder,
    place,
    rounds: 100,
    files: await openArtefactFiles(folder),
    another: () => openArtefactFiles(folder),
    everything: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    age: (hash, seconds) => makeOlder(place(hash), seconds),
    leaveDead(seconds) {
      const name = randomUUID();
      writeFileSync(join(folder, 'tmp', name), 'x');
      makeOlder(join(folder, 'tmp', name), seconds);
      return name;
    },
    close: async () => rmSync(root, { recursive: true }),
  };
}

describe('artefact files', () => {
  artefactContractSuite(openBench);

  test('stand under their SHA-256, private, with the bytes that came', async () => {
    const bench = await openBench();
    try {
      const bytes = randomBytes(3_000_000);
      const chunks = Array.from({ length: 30 }, (_, index) => bytes.subarray(index * 100_000, (index + 1) * 100_000));
      const { sha256 } = await bench.files.receive(Readable.from(chunks), new AbortController().signal);
      expect(readFileSync(bench.place(sha256)).equals(bytes)).toBe(true);
      expect(statSync(bench.place(sha256)).mode & 0o777).toBe(0o600);
      expect(statSync(bench.folder).mode & 0o777).toBe(0o700);
      writeFileSync(join(bench.folder, sha256.slice(0, 2), 'README'), 'put here by hand');
      utimesSync(join(bench.folder, sha256.slice(0, 2), 'README'), 1, 1);
      expect(await bench.files.sweep(new Set([sha256]), 1)).toBe(0);
      expect(bench.everything().sort()).toEqual([sha256, 'README'].sort());
      writeFileSync(join(bench.folder, 'lost+found'), 'of the file system');
      expect(await bench.files.sweep(new Set(), -1)).toBe(1);
      expect(bench.everything().sort()).toEqual(['README', 'lost+found']);
    } finally {
      await bench.close();
    }
  });
});
