import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { S3Error } from './errors.js';

/** Keys by which requests are signed, secret by access key. */
export type Keys = Readonly<Record<string, string>>;

const ALGORITHM = 'AWS4-HMAC-SHA256';
const QUARTER = 15 * 60_000;

/**
 * Checks a request as "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)" of the S3 API reference says,
 * stricter where it leaves a choice: every x-amz- header is signed, and so is the body, by its SHA-256.
 */
export function checkSignature(req: IncomingMessage, body: Buffer, keys: Keys): void {
  const { authorization = '' } = req.headers;
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!found) throw new S3Error(403, 'AccessDenied', 'No signature');
  const [, accessKey = '', day = '', region = '', signedHeaders = '', signature = ''] = found;
  const secret = keys[accessKey];
  if (secret === undefined) throw new S3Error(403, 'InvalidAccessKeyId', 'No such key');
  const time = header(req, 'x-amz-date');
  checkTime(time, day);
  const signed = signedHeaders.split(';');
  const needed = ['host', ...Object.keys(req.headers).filter((name) => name.startsWith('x-amz-'))];
  const unsigned = needed.filter((name) => !signed.includes(name));
  if (unsigned.length > 0) throw new S3Error(403, 'AccessDenied', `Not signed: ${unsigned.join(', ')}`);
  const announced = header(req, 'x-amz-content-sha256');
  if (announced !== createHash('sha256').update(body).digest('hex'))
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', 'The body has another SHA-256');
  const canonical = [
    req.method ?? '',
    canonicalPath(req.url ?? ''),
    canonicalQuery(req.url ?? ''),
    ...signed.map((name) => `${name}:${header(req, name).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    announced,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (from, part) => createHmac('sha256', from).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
  const expected = createHmac('sha256', key).update([ALGORITHM, time, scope, digest].join('\n')).digest('hex');
  if (expected !== signature) throw new S3Error(403, 'SignatureDoesNotMatch', 'The signature is another one');
}

function checkTime(time: string, day: string): void {
  const [, year, month, date, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? [];
  const at = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(at) || !time.startsWith(day)) throw new S3Error(403, 'AccessDenied', 'No date');
  if (Math.abs(at - Date.now()) > QUARTER) throw new S3Error(403, 'RequestTimeTooSkewed', 'Another time');
}

function header(req: IncomingMessage, name: string): string {
  return String(req.headers[name] ?? '');
}

/** S3 signs each part of the path encoded once. */
function canonicalPath(url: string): string {
  return (url.split('?')[0] ?? '')
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');
}

function canonicalQuery(url: string): string {
  const query = url.split('?')[1] ?? '';
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`;
    })
    .sort()
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
