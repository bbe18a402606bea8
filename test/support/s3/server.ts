import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { S3Error } from './errors.js';
import { listObjects, listUploads } from './listings.js';
import { createObjects, type Objects } from './objects.js';
import { checkSignature } from './signature.js';

/**
 * An S3 server for tests: one bucket, addressed by path, in memory. Written from the S3 API reference, with its own check of signatures.
 * Strict where S3 is: an unsigned or wrong request, a part that is too small or of another ETag, a range that cannot be, are refused.
 */
export interface S3Server extends Objects {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  /** What it was asked, e.g. `PUT artefacts/…?partNumber`. */
  readonly requests: string[];
  /** Keys in a page of a listing. */
  pageSize: number;
  trouble: Trouble;
  close(): Promise<void>;
}

export interface Trouble {
  /** Answers the next requests of this kind with this status: `PUT`, `GET`, … */
  refuse?: { method: RegExp; status: number; code: string; times: number };
  /** Cuts the next GETs of objects after so many bytes. */
  cut?: { after: number; times: number };
  /** Called before a request is carried out; what it returns is awaited. */
  before?: (request: string) => Promise<void> | void;
  /** Carries the next completion of an upload out, and tells nobody. */
  loseCompletion?: boolean;
}

export async function startS3(): Promise<S3Server> {
  const objects = createObjects();
  const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'secret/of+the=test' };
  const state: S3Server = {
    ...objects,
    endpoint: '',
    bucket: 'artefact-store',
    credentials,
    requests: [],
    pageSize: 1000,
    trouble: {},
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const server = createServer((req, res) => {
    serve(state, req, res).catch((error: unknown) => tell(res, error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function serve(state: S3Server, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await buffer(req);
  const url = new URL(req.url ?? '', state.endpoint);
  const [, bucket = '', ...parts] = url.pathname.split('/').map(decodeURIComponent);
  const key = parts.join('/');
  const { method = '' } = req;
  const kind = [...url.searchParams.keys()].filter((name) => /^(uploads|uploadId|partNumber|list-type)$/.test(name));
  const request = `${method} ${key}${kind.length > 0 ? `?${kind.sort().join('&')}` : ''}`;
  state.requests.push(request);
  checkSignature(req, body, { [state.credentials.accessKeyId]: state.credentials.secretAccessKey });
  if (bucket !== state.bucket) throw new S3Error(404, 'NoSuchBucket', 'There is no such bucket');
  await state.trouble.before?.(request);
  const { refuse } = state.trouble;
  if (refuse?.method.test(request) && refuse.times-- > 0) throw new S3Error(refuse.status, refuse.code, 'As told');
  if (key === '') return list(state, method, url, res);
  await onObject(state, { method, key, query: url.searchParams, body, range: req.headers.range }, res);
}

function list(state: S3Server, method: string, { searchParams: query }: URL, res: ServerResponse): void {
  if (method !== 'GET') throw new S3Error(405, 'MethodNotAllowed', method);
  if (query.has('uploads')) xml(res, listUploads(state.uploads, query, state.pageSize));
  else if (query.get('list-type') === '2') xml(res, listObjects(state.objects, query, state.pageSize));
  else throw new S3Error(501, 'NotImplemented', 'Listing of version 1');
}

interface Asked {
  method: string;
  key: string;
  query: URLSearchParams;
  body: Buffer;
  range: string | undefined;
}

async function onObject(
  state: S3Server,
  { method, key, query, body, range }: Asked,
  res: ServerResponse,
): Promise<void> {
  const upload = query.get('uploadId') ?? '';
  if (method === 'GET' || method === 'HEAD') return send(state, method, key, range, res);
  if (method === 'PUT' && query.has('partNumber')) {
    const { etag } = state.putPart(key, upload, Number(query.get('partNumber')), body);
    return end(res, 200, { ETag: etag });
  }
  if (method === 'PUT') return end(res, 200, { ETag: state.put(key, body).etag });
  if (method === 'POST' && query.has('uploads'))
    return xml(
      res,
      `<InitiateMultipartUploadResult><UploadId>${state.begin(key)}</UploadId></InitiateMultipartUploadResult>`,
    );
  if (method === 'POST' && upload !== '') {
    const named = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      part: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replace(/&quot;/g, '"'),
    }));
    const { etag } = state.complete(key, upload, named);
    if (state.trouble.loseCompletion) {
      state.trouble.loseCompletion = false;
      res.destroy();
      return;
    }
    return xml(
      res,
      `<CompleteMultipartUploadResult><ETag>${etag.replace(/"/g, '&quot;')}</ETag></CompleteMultipartUploadResult>`,
    );
  }
  if (method !== 'DELETE') throw new S3Error(405, 'MethodNotAllowed', method);
  if (upload !== '') state.abort(key, upload);
  else state.objects.delete(key);
  end(res, 204, {});
}

function send(state: S3Server, method: string, key: string, range: string | undefined, res: ServerResponse): void {
  const { bytes, etag, modifiedAt } = state.get(key);
  const found = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  const first = Number(found?.[1] ?? 0);
  if (found && first >= bytes.length) throw new S3Error(416, 'InvalidRange', 'Not in the object');
  const last = found?.[2] ? Math.min(Number(found[2]), bytes.length - 1) : bytes.length - 1;
  const part = bytes.subarray(first, last + 1);
  res.writeHead(found ? 206 : 200, {
    'Content-Length': part.length,
    ETag: etag,
    'Last-Modified': new Date(modifiedAt).toUTCString(),
    ...(found && { 'Content-Range': `bytes ${first}-${last}/${bytes.length}` }),
  });
  const { cut } = state.trouble;
  if (method === 'GET' && cut && cut.after < part.length && cut.times > 0) {
    cut.times -= 1;
    res.write(part.subarray(0, cut.after), () => res.destroy());
    return;
  }
  res.end(method === 'HEAD' ? undefined : part);
}

function xml(res: ServerResponse, text: string): void {
  res.writeHead(200, { 'Content-Type': 'application/xml' });
  res.end(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
}

function end(res: ServerResponse, status: number, headers: Record<string, string>): void {
  res.writeHead(status, headers);
  res.end();
}

function tell(res: ServerResponse, error: unknown): void {
  const { status, code, message } =
    error instanceof S3Error ? error : new S3Error(500, 'InternalError', String((error as Error).stack));
  res.writeHead(status, { 'Content-Type': 'application/xml' });
  // HEAD has no body: the status alone tells.
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  res.end(res.req.method === 'HEAD' ? undefined : text);
}
