import { pipeline } from 'node:stream/promises';
import { Fault } from '../domain/errors.js';
import type { Download } from '../domain/views.js';
import type { Exchange } from './exchange.js';
import { isMatch } from './match.js';

interface Range {
  start: number;
  end: number;
}

/** The bytes of an artefact, which its SHA-256 names for good: whole, a range of them, or 304. */
export async function sendDownload({ req, res }: Exchange, { artefact, open }: Download): Promise<void> {
  const etag = `"${artefact.sha256}"`;
  res.setHeader('ETag', etag);
  res.setHeader('Accept-Ranges', 'bytes');
  res.setHeader('Cache-Control', 'private, no-cache');
  res.setHeader('Vary', 'Authorization');
  if (isMatch(req.headers['if-none-match'], etag)) {
    res.statusCode = 304;
    res.end();
    return;
  }
  res.setHeader('Content-Type', 'application/octet-stream');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Disposition', disposition(artefact.name));
  const current = req.headers['if-range'];
  const range = current === undefined || current === etag ? readRange(req.headers.range, artefact.size) : undefined;
  if (range === 'unsatisfiable') {
    res.setHeader('Content-Range', `bytes */${artefact.size}`);
    throw new Fault('RangeNotSatisfiable', `The artefact has ${artefact.size} bytes.`);
  }
  if (range) {
    res.statusCode = 206;
    res.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${artefact.size}`);
  }
  res.setHeader('Content-Length', range ? range.end - range.start + 1 : artefact.size);
  if (req.method === 'HEAD' || artefact.size === 0) {
    res.end();
    return;
  }
  await pipeline(open(range), res);
}

/** One range; several, or what is no range, is answered with the whole (RFC 9110 §14.2). */
function readRange(header: string | undefined, size: number): Range | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return undefined;
  const [first, last] = [found[1] as string, found[2] as string];
  if (first === '') {
    const length = Number(last);
    return length === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}

function disposition(name: string): string {
  const plain = name.replace(/[^\u0020-\u007e]|["\\%]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, escaped)}`;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
