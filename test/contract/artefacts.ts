import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Fault } from '../../src/domain/errors.js';
import type { ArtefactFiles } from '../../src/store/store.js';

/** An artefact store, empty at the beginning of each case. */
export interface ArtefactBench {
  readonly files: ArtefactFiles;
  /** How often a race is run: each takes its time. */
  readonly rounds: number;
  /** Another gateway's, on the same artefacts. */
  another(): Promise<ArtefactFiles>;
  /** Everything that is stored or half stored, by name; artefacts by their SHA-256. */
  everything(): string[];
  /** Makes an artefact older. */
  age(sha256: string, seconds: number): void;
  /** Leaves what an upload leaves that died so many seconds ago. Gives the name by which `everything` knows it. */
  leaveDead(seconds: number): string;
  close(): Promise<void>;
}

const HOUR = 3600;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** THE SUITE that every artefact store passes. */
export function artefactContractSuite(open: () => Promise<ArtefactBench>): void {
  let bench: ArtefactBench;
  let files: ArtefactFiles;
  const never = new AbortController().signal;

  beforeEach(async () => {
    bench = await open();
    files = bench.files;
  });
  afterEach(() => bench.close());

  const everything = () => bench.everything();
  const store = (bytes: Buffer) => files.receive(Readable.from([bytes]), never);

  test('are read whole and in ranges', async () => {
    const { sha256: hash } = await store(Buffer.from('0123456789'));
    expect((await buffer(files.open(hash))).toString()).toBe('0123456789');
    expect((await buffer(files.open(hash, { start: 2, end: 4 }))).toString()).toBe('234');
    expect((await buffer(files.open(hash, { start: 9, end: 9 }))).toString()).toBe('9');
  });

  test('that come twice, also at once, are one file; an empty one is a file too', async () => {
    const bytes = randomBytes(100_000);
    const stored = await Promise.all([store(bytes), store(bytes), store(bytes)]);
    expect(new Set(stored.map((one) => one.sha256)).size).toBe(1);
    expect((await store(Buffer.alloc(0))).size).toBe(0);
    expect(everything()).toHaveLength(2);
  });

  test.each<[string, () => { source: Readable; signal?: AbortSignal }, object]>([
    [
      'a source that fails',
      () => ({
        source: Readable.from(
          (async function* () {
            yield Buffer.alloc(70_000);
            throw new Error('the disk of the sender');
          })(),
        ),
      }),
      { message: 'the disk of the sender' },
    ],
    [
      'a client that goes',
      () => {
        const source = new PassThrough();
        source.write(Buffer.alloc(70_000));
        setImmediate(() => source.destroy());
        return { source };
      },
      { code: 'InvalidValue' },
    ],
    [
      'a request that is aborted',
      () => {
        const source = new PassThrough();
        source.write(Buffer.alloc(70_000));
        const aborting = new AbortController();
        setImmediate(() => aborting.abort());
        return { source, signal: aborting.signal };
      },
      { name: 'AbortError' },
    ],
    [
      'a request that was aborted before',
      () => ({ source: Readable.from([Buffer.alloc(10)]), signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    ],
  ])('%s leaves nothing behind', async (_, sending, expected) => {
    const { source, signal = never } = sending();
    source.on('error', () => {});
    await expect(files.receive(source, signal)).rejects.toMatchObject(expected);
    expect(everything()).toEqual([]);
    expect(source.destroyed).toBe(true);
  });

  test('larger than allowed are refused as soon as that is known', async () => {
    let sent = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          sent += 1000;
          yield Buffer.alloc(1000);
        }
      })(),
    );
    await expect(files.receive(endless, never, { maximum: 50_000 })).rejects.toMatchObject({
      code: 'PayloadTooLarge',
      status: 413,
    });
    expect(sent).toBeLessThan(200_000);
    expect(everything()).toEqual([]);
    expect((await files.receive(Readable.from([Buffer.alloc(50_000)]), never, { maximum: 50_000 })).size).toBe(50_000);
  });

  test('are inspected when they are complete and before they have their place', async () => {
    const bytes = randomBytes(200_000);
    let seen = '';
    const inspect = async (file: string) => {
      seen = sha256(readFileSync(file));
      expect(await files.size(seen)).toBeUndefined();
    };
    await files.receive(Readable.from([bytes]), never, { inspect });
    expect(seen).toBe(sha256(bytes));
    const refused = files.receive(Readable.from([Buffer.from('no archive')]), never, {
      inspect: async () => {
        throw new Fault('InvalidValue', 'no archive');
      },
    });
    await expect(refused).rejects.toMatchObject({ code: 'InvalidValue' });
    expect(everything()).toEqual([seen]);
  });

  test.each(['../../etc/passwd', '', 'A'.repeat(64), `${'a'.repeat(63)}/`])('%j is no name of one', async (name) => {
    expect(() => files.open(name)).toThrow(/Not a SHA-256/);
    await expect(files.size(name)).rejects.toThrow(/Not a SHA-256/);
  });

  test('that are not there have no size and cannot be touched; removing them is done', async () => {
    const { sha256: hash } = await store(Buffer.from('x'));
    await files.remove(hash);
    await files.remove(hash);
    expect(await files.size(hash)).toBeUndefined();
    expect(await files.touch(hash)).toBe(false);
  });

  describe('a sweep', () => {
    test('takes what is old and unused, and what dead uploads left; nothing else', async () => {
      const [used, unused, young] = await Promise.all(
        ['used', 'unused', 'young'].map((text) => store(Buffer.from(text))),
      );
      if (!used || !unused || !young) throw new Error('not stored');
      for (const { sha256: hash } of [used, unused]) bench.age(hash, 2 * HOUR);
      bench.leaveDead(2 * HOUR);
      const alive = bench.leaveDead(HOUR / 2);
      expect(await files.sweep(new Set([used.sha256]), HOUR)).toBe(2);
      expect(everything().sort()).toEqual([alive, used.sha256, young.sha256].sort());
      expect(await files.sweep(new Set([used.sha256]), HOUR)).toBe(0);
    });

    test('spares what was touched, or sent again', async () => {
      const [one, two] = await Promise.all(['one', 'two'].map((text) => store(Buffer.from(text))));
      if (!one || !two) throw new Error('not stored');
      for (const { sha256: hash } of [one, two]) bench.age(hash, 2 * HOUR);
      expect(await files.touch(one.sha256)).toBe(true);
      await store(Buffer.from('two'));
      expect(await files.sweep(new Set(), HOUR)).toBe(0);
    });

    test('of another gateway never takes an artefact that arrives again, or is touched, at that moment', async () => {
      const bytes = randomBytes(1000);
      const other = await bench.another();
      const { sha256: hash } = await store(bytes);
      let taken = 0;
      for (let round = 0; round < bench.rounds; round++) {
        bench.age(hash, 2 * HOUR);
        const renew = async () => {
          if (round % 2 === 0 && (await files.touch(hash))) return;
          await store(bytes);
        };
        const [, ...swept] = await Promise.all([renew(), other.sweep(new Set(), HOUR), other.sweep(new Set(), HOUR)]);
        taken += Math.max(...swept);
        expect(await files.size(hash)).toBe(1000);
      }
      expect(everything()).toEqual([hash]);
      expect(taken).toBeLessThan(bench.rounds);
    });
  });
}
