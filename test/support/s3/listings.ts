import { S3Error } from './errors.js';
import type { Objects } from './objects.js';

/** ListObjectsV2: by key, a page at a time. */
export function listObjects(objects: Objects['objects'], query: URLSearchParams, pageSize: number): string {
  const prefix = query.get('prefix') ?? '';
  const most = Math.min(pageSize, Number(query.get('max-keys') ?? 1000));
  const token = query.get('continuation-token');
  if (token === '') throw new S3Error(400, 'InvalidArgument', 'The continuation token is empty');
  const after = token === null ? '' : Buffer.from(token, 'base64url').toString();
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, most);
  const more = keys.length > page.length;
  const contents = page.map((key) => {
    const { bytes, modifiedAt } = objects.get(key) ?? { bytes: Buffer.alloc(0), modifiedAt: 0 };
    return `<Contents><Key>${key}</Key><LastModified>${new Date(modifiedAt).toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`;
  });
  const next = `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64url')}</NextContinuationToken>`;
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated><KeyCount>${page.length}</KeyCount>${contents.join('')}${more ? next : ''}</ListBucketResult>`;
}

/** ListMultipartUploads: by key and begin, a page at a time. */
export function listUploads(uploads: Objects['uploads'], query: URLSearchParams, pageSize: number): string {
  const prefix = query.get('prefix') ?? '';
  const after = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''].join('\n');
  const found = [...uploads]
    .filter(([, { key }]) => key.startsWith(prefix))
    .map(([id, upload]) => ({ id, ...upload, place: `${upload.key}\n${id}` }))
    .filter(({ place }) => after === '\n' || place > after)
    .sort((one, other) => (one.place < other.place ? -1 : 1));
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  const entries = page.map(
    ({ id, key, begunAt }) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(begunAt).toISOString()}</Initiated></Upload>`,
  );
  const more = found.length > page.length;
  const next = `<NextKeyMarker>${last?.key ?? ''}</NextKeyMarker><NextUploadIdMarker>${last?.id ?? ''}</NextUploadIdMarker>`;
  return `<ListMultipartUploadsResult><IsTruncated>${more}</IsTruncated>${more ? next : ''}${entries.join('')}</ListMultipartUploadsResult>`;
}
