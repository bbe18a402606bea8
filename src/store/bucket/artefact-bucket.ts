import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Fault, isFault } from '../../domain/errors.js';
import { checkedDigest, openTemporary, receiveInto, sweepTemporary } from '../artefact-files.js';
import type { ArtefactFiles } from '../store.js';
import { type Bucket, type BucketOptions, bucketFault, openBucket } from './bucket.js';
import { HELD, hold, OBJECTS, removeOldMarks, removeUnheld } from './hold.js';
import { upload } from './upload.js';

export interface ArtefactBucketOptions extends BucketOptions {
  /** Where uploads grow and are looked at before they go to the bucket: in `<spool>/tmp`. */
  spool: string;
  /** Whose artefacts they are. Absent: whoever's. */
  installation?: string;
}

const RESUMPTIONS = 3;
/** Holds the id of the installation whose artefacts these are. */
const OWNER = 'installation';

/**
 * Artefacts as objects `<prefix>artefacts/<sha256>` of an S3 bucket, which several gateways share. Rejects with a text for the operator
 * when the bucket cannot be used.
 */
export async function openArtefactBucket(
  options: ArtefactBucketOptions,
): Promise<ArtefactFiles & { close(): Promise<void> }> {
  const { spool } = options;
  await openTemporary(spool);
  const bucket = await openBucket(options);
  const place = (sha256: string) => OBJECTS + checkedDigest(sha256);
  try {
    for await (const _ of bucket.list(OBJECTS, 1)) break;
    if (options.installation !== undefined) await claim(bucket, options.installation);
  } catch (error) {
    bucket.close();
    const { message, cause } = error as Error;
    throw new Error(`The bucket ${options.bucket} of artefacts.store cannot be used: ${message}`, { cause });
  }
  return {
    receive: (source, signal, rules) =>
      receiveInto(spool, source, signal, rules, async (file, { sha256, size }) => {
        await hold(bucket, sha256);
        if ((await bucket.size(place(sha256))) === size) return;
        await upload(bucket, place(sha256), file, size, signal);
      }),
    open: (sha256, range) => openObject(bucket, place(sha256), range),
    size: async (sha256) => await bucket.size(place(sha256)),
    touch: async (sha256) => {
      const key = place(sha256);
      if ((await bucket.size(key)) === undefined) return false;
      await hold(bucket, sha256);
      return (await bucket.size(key)) !== undefined;
    },
    remove: (sha256) => bucket.remove(place(sha256)),
    sweep: async (inUse, minimumAge) => {
      const before = Date.now() - minimumAge * 1000;
      return (await sweepTemporary(spool, before)) + (await sweep(bucket, inUse, before));
    },
    close: async () => bucket.close(),
  };
}

/** A second installation with this prefix would sweep what the first one's versions hold. */
async function claim(bucket: Bucket, installation: string): Promise<void> {
  if ((await bucket.size(OWNER)) === undefined) await bucket.put(OWNER, Buffer.from(installation));
  const owner = await text(Readable.from(await bucket.get(OWNER, undefined, new AbortController().signal)));
  if (owner === installation) return;
  throw new Fault(
    'Conflict',
    `Below this prefix are the artefacts of another installation (${owner}, this is ${installation}). Choose another prefix.`,
  );
}

function openObject(bucket: Bucket, key: string, range?: { start: number; end: number }): Readable {
  const passing = new PassThrough();
  const leaving = new AbortController();
  passing.once('close', () => leaving.abort());
  pipeline(read(bucket, key, range, leaving.signal), passing).catch(() => undefined);
  return passing;
}

/** A connection that breaks in the middle is taken up where it broke. */
async function* read(
  bucket: Bucket,
  key: string,
  range: { start: number; end: number } | undefined,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let at = range?.start ?? 0;
  for (let broken = 0; ; ) {
    try {
      const isWhole = at === 0 && range === undefined;
      const asked = isWhole ? undefined : `bytes=${at}-${range?.end ?? ''}`;
      for await (const chunk of await bucket.get(key, asked, signal)) {
        at += chunk.length;
        broken = 0;
        yield chunk;
      }
      return;
    } catch (error) {
      const fault = bucketFault(error);
      const isPassing = isFault(fault) && fault.code === 'ServiceUnavailable';
      if (signal.aborted || !isPassing || ++broken > RESUMPTIONS) throw signal.aborted ? signal.reason : fault;
      if (range && at > range.end) return;
    }
  }
}

async function sweep(bucket: Bucket, inUse: Set<string>, before: number): Promise<number> {
  let removed = 0;
  const young = new Set<string>();
  for await (const { key, modifiedAt } of bucket.list(HELD)) {
    const sha256 = key.slice(HELD.length).split('/')[0];
    if (sha256 !== undefined && modifiedAt >= before) young.add(sha256);
  }
  for await (const { key, modifiedAt } of bucket.list(OBJECTS)) {
    const sha256 = key.slice(OBJECTS.length);
    if (!/^[0-9a-f]{64}$/.test(sha256) || modifiedAt >= before || inUse.has(sha256) || young.has(sha256)) continue;
    if (await removeUnheld(bucket, sha256, before)) removed += 1;
  }
  for await (const { key, upload: id, begunAt } of bucket.uploads(OBJECTS)) {
    if (begunAt >= before) continue;
    await bucket.abortUpload(key, id);
    removed += 1;
  }
  await removeOldMarks(bucket, before);
  return removed;
}
