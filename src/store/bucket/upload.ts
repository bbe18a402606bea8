import { open } from 'node:fs/promises';
import { Fault } from '../../domain/errors.js';
import type { Bucket } from './bucket.js';

/** Parts are held in memory while they are sent, so that each can be signed and sent again. */
const PART = 8 * 1024 ** 2;
const AT_ONCE = 3;
/** S3 takes no more. */
const MOST_PARTS = 10_000;

/** Brings a file into the bucket: whole or not at all. */
export async function upload(
  bucket: Bucket,
  key: string,
  file: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const handle = await open(file, 'r');
  const read = async (start: number, length: number) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start);
    if (bytesRead !== length) throw new Error(`${file} is shorter than it was`);
    return buffer;
  };
  try {
    if (size <= PART) await bucket.put(key, size === 0 ? Buffer.alloc(0) : await read(0, size));
    else await uploadParts(bucket, key, size, read, signal);
  } finally {
    await handle.close();
  }
}

async function uploadParts(
  bucket: Bucket,
  key: string,
  size: number,
  read: (start: number, length: number) => Promise<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const length = Math.max(PART, Math.ceil(size / MOST_PARTS));
  const id = await bucket.beginUpload(key);
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const etags: string[] = [];
  let next = 0;
  const send = async () => {
    for (let part = next++; part * length < size; part = next++) {
      const body = await read(part * length, Math.min(length, size - part * length));
      etags[part] = await bucket.putPart(key, id, part + 1, body, either);
    }
  };
  try {
    const senders = Array.from({ length: AT_ONCE }, () => send());
    try {
      await Promise.all(senders);
    } catch (error) {
      failing.abort();
      await Promise.allSettled(senders);
      throw error;
    }
    signal.throwIfAborted();
    await complete(bucket, key, id, etags, size);
  } catch (error) {
    await bucket.abortUpload(key, id).catch(() => undefined);
    throw error;
  }
}

/** A completion whose answer was lost and that is asked for again finds no such upload: what counts is that the object is there. */
async function complete(
  bucket: Bucket,
  key: string,
  id: string,
  etags: readonly string[],
  size: number,
): Promise<void> {
  let fault: unknown;
  try {
    await bucket.completeUpload(key, id, etags);
  } catch (error) {
    fault = error;
  }
  const stands = await bucket.size(key);
  if (stands === size) return;
  throw (
    fault ??
    new Fault('ServiceUnavailable', 'The artefact store did not keep the whole artefact; send it again.', {
      retryAfter: 5,
    })
  );
}
