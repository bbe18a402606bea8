import type { S3Client } from '@aws-sdk/client-s3';
import { Fault, isFault } from '../../domain/errors.js';

export interface BucketOptions {
  bucket: string;
  /** Of every key: empty, or with a slash at its end. */
  prefix: string;
  /** Absent: AWS. */
  endpoint?: string;
  region: string;
  /** Absent: what the AWS SDK finds in environment, files and machine. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

export interface Listed {
  key: string;
  size: number;
  /** Milliseconds since 1970, by the bucket's clock, which is ours within 15 minutes: it refuses requests otherwise. */
  modifiedAt: number;
}

/** The few things of S3 that an artefact store needs, with faults that say what to do. Keys are without the prefix. */
export interface Bucket {
  put(key: string, body: Buffer): Promise<void>;
  /** Undefined: there is no such object. */
  size(key: string): Promise<number | undefined>;
  /** `range` as in HTTP, e.g. `bytes=0-9`. */
  get(key: string, range: string | undefined, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  remove(key: string, signal?: AbortSignal): Promise<void>;
  list(prefix: string, most?: number): AsyncIterable<Listed>;
  beginUpload(key: string): Promise<string>;
  /** Gives the part's ETag. */
  putPart(key: string, upload: string, part: number, body: Buffer, signal: AbortSignal): Promise<string>;
  completeUpload(key: string, upload: string, etags: readonly string[]): Promise<void>;
  abortUpload(key: string, upload: string): Promise<void>;
  /** Uploads that nobody has completed. */
  uploads(prefix: string): AsyncIterable<{ key: string; upload: string; begunAt: number }>;
  close(): void;
}

/** The SDK takes a third of a second to load: only a gateway that has a bucket loads it. */
export async function openBucket({ bucket: Bucket, prefix, ...options }: BucketOptions): Promise<Bucket> {
  const s3 = await import('@aws-sdk/client-s3');
  const client: S3Client = new s3.S3Client({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint, forcePathStyle: true }),
    ...(options.credentials && { credentials: options.credentials }),
    // The newer checksums are unknown to many servers; every body is signed with its SHA-256 anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
  });
  const at = (key: string) => ({ Bucket, Key: prefix + key });
  const own = (key = '') => key.slice(prefix.length);

  return {
    put: (key, Body) => understood(async () => void (await client.send(new s3.PutObjectCommand({ ...at(key), Body })))),
    size: (key) =>
      understood(async () => (await client.send(new s3.HeadObjectCommand(at(key)))).ContentLength).catch(unlessMissing),
    get: (key, Range, abortSignal) =>
      understood(async () => {
        const range = Range === undefined ? {} : { Range };
        const { Body } = await client.send(new s3.GetObjectCommand({ ...at(key), ...range }), { abortSignal });
        return Body as unknown as AsyncIterable<Buffer>;
      }),
    remove: (key, abortSignal) =>
      understood(
        async () => void (await client.send(new s3.DeleteObjectCommand(at(key)), abortSignal ? { abortSignal } : {})),
      ),
    async *list(Prefix, most) {
      let ContinuationToken: string | undefined;
      do {
        const asked = {
          Bucket,
          Prefix: prefix + Prefix,
          ...(ContinuationToken !== undefined && { ContinuationToken }),
          ...(most !== undefined && { MaxKeys: most }),
        };
        const page = await understood(() => client.send(new s3.ListObjectsV2Command(asked)));
        for (const { Key, Size = 0, LastModified } of page.Contents ?? [])
          yield { key: own(Key), size: Size, modifiedAt: LastModified?.getTime() ?? Date.now() };
        ContinuationToken = most === undefined ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    },
    beginUpload: (key) =>
      understood(async () => (await client.send(new s3.CreateMultipartUploadCommand(at(key)))).UploadId ?? ''),
    putPart: (key, UploadId, PartNumber, Body, abortSignal) =>
      understood(async () => {
        const part = { ...at(key), UploadId, PartNumber, Body };
        return (await client.send(new s3.UploadPartCommand(part), { abortSignal })).ETag ?? '';
      }),
    completeUpload: (key, UploadId, etags) =>
      understood(async () => {
        const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
        const whole = { ...at(key), UploadId, MultipartUpload: { Parts } };
        await client.send(new s3.CompleteMultipartUploadCommand(whole));
      }),
    abortUpload: (key, UploadId) =>
      understood(
        async () => void (await client.send(new s3.AbortMultipartUploadCommand({ ...at(key), UploadId }))),
      ).catch(unlessMissing),
    async *uploads(Prefix) {
      let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
      while (marker) {
        const asked: object = { Bucket, Prefix: prefix + Prefix, ...marker };
        const page = await understood(() =>
          client.send(new s3.ListMultipartUploadsCommand(asked as { Bucket: string; Prefix: string })),
        );
        for (const { Key, UploadId = '', Initiated } of page.Uploads ?? [])
          yield { key: own(Key), upload: UploadId, begunAt: Initiated?.getTime() ?? Date.now() };
        const { IsTruncated, NextKeyMarker: KeyMarker = '', NextUploadIdMarker: UploadIdMarker = '' } = page;
        marker = IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
      }
    },
    close: () => client.destroy(),
  };
}

async function understood<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw bucketFault(error);
  }
}

/** What a failure of the bucket means to whoever asked. */
export function bucketFault(error: unknown): unknown {
  if (isFault(error)) return error;
  const { name = '', $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'AbortError') return error;
  const status = $metadata?.httpStatusCode;
  const missing = ['NotFound', 'NoSuchKey', 'NoSuchUpload'].includes(name);
  if (missing) return new Fault('NotFound', 'The artefact store does not have it.', { cause: error });
  if (status === undefined || status >= 500 || status === 429 || status < 400) {
    const text = 'The artefact store cannot be reached; try again.';
    return new Fault('ServiceUnavailable', text, { cause: error, retryAfter: 5 });
  }
  return new Fault(
    'Internal Failure',
    `The artefact store refuses the gateway (${name}). Its operator has to look at bucket, keys and rights of artefacts.store.`,
    { cause: error },
  );
}

function unlessMissing(error: unknown): undefined {
  if (!isFault(error) || error.code !== 'NotFound') throw error;
}
