import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { openArtefactBucket } from '../../src/store/bucket/artefact-bucket.js';
import type { ArtefactFiles } from '../../src/store/store.js';
import { type ArtefactBench, artefactContractSuite } from '../contract/artefacts.js';
import { eventually } from '../support/conditions.js';
import { type S3Server, startS3 } from '../support/s3/server.js';

const MiB = 1024 ** 2;
const never = new AbortController().signal;

interface Bench extends ArtefactBench {
  s3: S3Server;
}

async function openBench(): Promise<Bench> {
  const s3 = await startS3();
  s3.pageSize = 2;
  const spools: string[] = [];
  const opened: { close(): Promise<void> }[] = [];
  const another = async () => {
    const spool = mkdtempSync(join(tmpdir(), 'coaps-spool-'));
    spools.push(spool);
    const { endpoint, bucket, credentials } = s3;
    const store = await openArtefactBucket({
      ...{ endpoint, bucket, credentials, spool },
      prefix: 'of these gateways/',
      region: 'eu-west-1',
    });
    opened.push(store);
    return store;
  };
  const files = await another();
  const own = 'of these gateways/artefacts/';
  return {
    s3,
    files,
    rounds: 12,
    another,
    everything: () => [
      ...[...s3.objects.keys()].filter((key) => key.startsWith(own)).map((key) => key.slice(own.length)),
      ...[...s3.uploads.values()].map(({ key }) => `half ${key}`),
      ...spools.flatMap((spool) => readdirSync(join(spool, 'tmp'))),
    ],
    age(sha256, seconds) {
      for (const [key, object] of s3.objects) if (key.includes(sha256)) object.modifiedAt = Date.now() - seconds * 1000;
    },
    leaveDead(seconds) {
      // One that died on its way to the gateway, or, when it is old, on its way to the bucket.
      if (seconds > 3600) {
        const upload = s3.uploads.get(s3.begin(`${own}${'d'.repeat(64)}`));
        if (upload) upload.begunAt = Date.now() - seconds * 1000;
        return `half ${own}${'d'.repeat(64)}`;
      }
      const name = randomUUID();
      const file = join(spools[0] ?? '', 'tmp', name);
      writeFileSync(file, 'x');
      utimesSync(file, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
      return name;
    },
    async close() {
      for (const one of opened) await one.close();
      await s3.close();
      for (const spool of spools) rmSync(spool, { recursive: true });
    },
  };
}

describe('artefacts in a bucket', () => {
  artefactContractSuite(openBench);

  describe('that is far away and sometimes ill', () => {
    let bench: Bench;
    let files: ArtefactFiles;
    let s3: S3Server;
    const send = (bytes: Buffer, signal = never) => files.receive(Readable.from([bytes]), signal);
    const asked = (pattern: RegExp) => s3.requests.filter((request) => pattern.test(request)).length;
    beforeEach(async () => {
      bench = await openBench();
      ({ files, s3 } = bench);
    });
    afterEach(() => bench.close());

    test('go there in parts when they are large, once, and come back whole and in ranges', async () => {
      const bytes = randomBytes(20 * MiB + 1);
      const { sha256, size } = await send(bytes);
      expect({ sha256, size }).toEqual({
        sha256: createHash('sha256').update(bytes).digest('hex'),
        size: bytes.length,
      });
      expect(asked(/^PUT .*partNumber/)).toBe(3);
      await send(bytes);
      expect(asked(/^PUT .*partNumber/)).toBe(3);
      expect((await buffer(files.open(sha256))).equals(bytes)).toBe(true);
      const range = { start: 9 * MiB, end: 9 * MiB + 9 };
      expect((await buffer(files.open(sha256, range))).equals(bytes.subarray(range.start, range.end + 1))).toBe(true);

      // A connection that breaks is taken up where it broke.
      s3.trouble = { cut: { after: 3 * MiB, times: 3 } };
      expect((await buffer(files.open(sha256))).equals(bytes)).toBe(true);
      expect(s3.trouble.cut?.times).toBe(0);
    });

    test('are sent again when the server is busy for a moment, and when nobody hears that all went well', async () => {
      s3.trouble = { refuse: { method: /partNumber/, status: 503, code: 'SlowDown', times: 2 }, loseCompletion: true };
      const { sha256, size } = await send(randomBytes(9 * MiB));
      expect(await files.size(sha256)).toBe(size);
      expect(bench.everything()).toEqual([sha256]);
    });

    test.each([
      [
        'a part is refused',
        { refuse: { method: /partNumber/, status: 403, code: 'AccessDenied', times: 9 } },
        /refuses the gateway \(AccessDenied\)/,
      ],
      [
        'a part is never taken',
        { refuse: { method: /partNumber/, status: 503, code: 'SlowDown', times: 99 } },
        /cannot be reached; try again/,
      ],
      [
        'the completion is refused',
        { refuse: { method: /^POST .*uploadId/, status: 400, code: 'InvalidPart', times: 9 } },
        /InvalidPart/,
      ],
    ])('leave nothing behind when %s', async (_, trouble, why) => {
      s3.trouble = trouble;
      await expect(send(randomBytes(17 * MiB))).rejects.toThrow(why);
      expect(bench.everything()).toEqual([]);
    });

    test('leave nothing behind when the client goes while they are on their way', async () => {
      const aborting = new AbortController();
      s3.trouble = { before: (request) => (request.includes('partNumber') ? aborting.abort() : undefined) };
      await expect(send(randomBytes(30 * MiB), aborting.signal)).rejects.toMatchObject({ name: 'AbortError' });
      expect(bench.everything()).toEqual([]);
    });

    test('that nobody reads to the end hold no connection', async () => {
      const { sha256 } = await send(randomBytes(8 * MiB));
      for (let round = 0; round < 60; round++) {
        const stream = files.open(sha256);
        await new Promise((resolve) => stream.once('data', resolve));
        stream.destroy();
      }
      expect(await files.size(sha256)).toBe(8 * MiB);
      await expect(buffer(files.open('e'.repeat(64)))).rejects.toMatchObject({ code: 'NotFound' });
    });

    test('are not deleted by a sweep that looked before and deletes after they were touched', async () => {
      const { sha256 } = await send(Buffer.from('wanted'));
      bench.age(sha256, 7200);
      const other = await bench.another();
      let touching: Promise<boolean> | undefined;
      // In the moment between the sweep's look and its deed.
      s3.trouble = {
        before: async (request) => {
          if (!/^PUT .*doomed/.test(request)) return;
          touching ??= files.touch(sha256);
          await eventually(() => expect(asked(/^PUT .*held/)).toBeGreaterThan(1));
          await turn();
        },
      };
      expect(await other.sweep(new Set(), 3600)).toBe(0);
      expect(await touching).toBe(true);
      expect(await files.size(sha256)).toBe(6);
      expect([...s3.objects.keys()].filter((key) => key.includes('doomed'))).toEqual([]);
    });

    test('of one installation are not opened by another one, which would sweep them', async () => {
      const { endpoint, bucket, credentials } = s3;
      const spool = mkdtempSync(join(tmpdir(), 'coaps-spool-'));
      const open = (installation: string, prefix = 'a/') =>
        openArtefactBucket({ ...{ endpoint, bucket, credentials, spool, prefix, installation }, region: 'r' });
      const opened = [await open('one'), await open('one'), await open('two', 'b/')];
      await expect(open('two')).rejects.toThrow(/another installation \(one, this is two\)/);
      for (const one of opened) await one.close();
      rmSync(spool, { recursive: true });
    });

    test.each([
      [{ bucket: 'another-bucket' }, /another-bucket of artefacts.store cannot be used: .*NoSuchBucket/],
      [{ credentials: { accessKeyId: 'TESTKEY', secretAccessKey: 'wrong' } }, /SignatureDoesNotMatch/],
      [{ endpoint: 'http://127.0.0.1:1' }, /cannot be reached/],
    ])('with %j are told of at the start, without the secret', async (changes, why) => {
      const { endpoint, bucket, credentials } = s3;
      const spool = mkdtempSync(join(tmpdir(), 'coaps-spool-'));
      const opening = openArtefactBucket({
        ...{ endpoint, bucket, credentials, spool, prefix: '', region: 'us-east-1' },
        ...changes,
      });
      const fault = (await opening.catch((error: unknown) => error)) as Error;
      rmSync(spool, { recursive: true });
      expect(fault.message).toMatch(why);
      expect(`${fault.stack}${JSON.stringify(fault.cause)}`).not.toMatch(/secret\/of|wrong/);
    });
  });
});
