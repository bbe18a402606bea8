import { createHash, randomBytes } from 'node:crypto';
import { S3Error } from './errors.js';

export interface StoredObject {
  bytes: Buffer;
  etag: string;
  modifiedAt: number;
}

interface Upload {
  key: string;
  begunAt: number;
  parts: Map<number, StoredObject>;
}

const SMALLEST_PART = 5 * 1024 ** 2;
const MOST_PARTS = 10_000;

/** What a bucket holds, by the rules of the API reference. */
export interface Objects {
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, Upload>;
  put(key: string, bytes: Buffer): StoredObject;
  get(key: string): StoredObject;
  begin(key: string): string;
  putPart(key: string, upload: string, part: number, bytes: Buffer): StoredObject;
  complete(key: string, upload: string, parts: readonly { part: number; etag: string }[]): StoredObject;
  abort(key: string, upload: string): void;
}

export function createObjects(): Objects {
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, Upload>();
  const uploadOf = (key: string, id: string): Upload => {
    const upload = uploads.get(id);
    if (upload?.key !== key) throw new S3Error(404, 'NoSuchUpload', 'There is no such upload');
    return upload;
  };
  return {
    objects,
    uploads,
    put(key, bytes) {
      const object = made(bytes);
      objects.set(key, object);
      return object;
    },
    get(key) {
      const object = objects.get(key);
      if (!object) throw new S3Error(404, 'NoSuchKey', 'There is no such key');
      return object;
    },
    begin(key) {
      const id = randomBytes(12).toString('hex');
      uploads.set(id, { key, begunAt: Date.now(), parts: new Map() });
      return id;
    },
    putPart(key, id, part, bytes) {
      if (part < 1 || part > MOST_PARTS) throw new S3Error(400, 'InvalidArgument', 'Part number from 1 to 10000');
      const object = made(bytes);
      uploadOf(key, id).parts.set(part, object);
      return object;
    },
    complete(key, id, named) {
      const { parts } = uploadOf(key, id);
      if (named.length === 0) throw new S3Error(400, 'MalformedXML', 'No parts');
      const chosen = named.map(({ part, etag }, index) => {
        if (index > 0 && part <= (named[index - 1]?.part ?? 0))
          throw new S3Error(400, 'InvalidPartOrder', 'Not in order');
        const object = parts.get(part);
        if (object?.etag !== etag) throw new S3Error(400, 'InvalidPart', `Part ${part} is another one`);
        return object;
      });
      const small = chosen.slice(0, -1).some(({ bytes }) => bytes.length < SMALLEST_PART);
      if (small) throw new S3Error(400, 'EntityTooSmall', 'A part is smaller than 5 MiB');
      const whole = made(Buffer.concat(chosen.map(({ bytes }) => bytes)));
      objects.set(key, { ...whole, etag: `"${whole.etag.slice(1, -1)}-${chosen.length}"` });
      uploads.delete(id);
      return objects.get(key) as StoredObject;
    },
    abort(key, id) {
      uploadOf(key, id);
      uploads.delete(id);
    },
  };
}

function made(bytes: Buffer): StoredObject {
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  // Listings and headers know whole seconds.
  return { bytes, etag, modifiedAt: Math.floor(Date.now() / 1000) * 1000 };
}
