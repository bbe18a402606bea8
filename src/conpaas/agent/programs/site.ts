/**
 * Files of one folder over HTTP. Like everything in this folder it belongs to programs that agents copy to where an application's user
 * can read them, so it imports nothing but Node and its neighbours.
 */
import { createReadStream, type Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';

export interface Found {
  path: string;
  stats: Stats;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.xml': 'application/xml',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/vnd.microsoft.icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.otf': 'font/otf',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
};

/** The decoded path; undefined when it is none. Dots and empty parts were either taken out by the URL rules or are refused below. */
export function pathOf(url: string): string | undefined {
  try {
    const { pathname } = new URL(url.startsWith('/') ? `http://host${url.replace(/^\/+/, '/')}` : url);
    const path = decodeURIComponent(pathname);
    return path.includes('\0') ? undefined : path;
  } catch {
    return;
  }
}

/** `folder`: it is one, and its address lacks the slash on which relative links depend. */
export async function find(
  root: string,
  target: string,
  indexes: readonly string[],
): Promise<Found | 'folder' | undefined> {
  const parts = target.split('/').filter((part) => part !== '');
  // No dotfiles, and no way up; what is well known is meant for the public.
  const isHidden = (part: string) => part.startsWith('.') && part !== '.well-known';
  if (parts.some(isHidden) || (sep !== '/' && parts.some((part) => part.includes(sep)))) return;
  const found = await look(root, join(root, ...parts));
  if (!found?.stats.isDirectory()) return target.endsWith('/') && parts.length > 0 ? undefined : found;
  for (const name of indexes) {
    const index = await look(root, join(found.path, name));
    if (index?.stats.isFile()) return target.endsWith('/') ? index : 'folder';
  }
  return;
}

/** Links are followed only to what is inside. */
export async function look(root: string, path: string): Promise<Found | undefined> {
  try {
    const real = await realpath(path);
    if (real !== root && !real.startsWith(root + sep)) return;
    const stats = await stat(real);
    return stats.isFile() || stats.isDirectory() ? { path: real, stats } : undefined;
  } catch {
    return;
  }
}

/** The address of a folder that was asked for without its slash. */
export function folderAddress(target: string, url: string): string {
  const query = url.indexOf('?');
  return `${encodeURI(target)}/${query < 0 ? '' : url.slice(query)}`;
}

/** The site's own page for what is not there, or a line of text. */
export async function notFound(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = await look(root, join(root, '404.html'));
  if (page?.stats.isFile()) send(request, response, page, 404);
  else plain(response, 404, 'Not Found');
}

export function send(request: IncomingMessage, response: ServerResponse, { path, stats }: Found, status: number): void {
  const etag = `"${stats.size.toString(16)}-${Math.floor(stats.mtimeMs).toString(16)}"`;
  const headers: Record<string, string | number> = {
    'Content-Type': TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
    'Last-Modified': stats.mtime.toUTCString(),
    'X-Content-Type-Options': 'nosniff',
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-cache',
    ETag: etag,
  };
  if (status === 200 && isFresh(request, etag, stats)) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = status === 200 ? rangeOf(request, etag, stats.size) : undefined;
  if (range === 'unsatisfiable') {
    plain(response, 416, 'Range Not Satisfiable', { 'Content-Range': `bytes */${stats.size}` });
    return;
  }
  const { start, end } = range ?? { start: 0, end: stats.size - 1 };
  headers['Content-Length'] = end - start + 1;
  if (range) headers['Content-Range'] = `bytes ${start}-${end}/${stats.size}`;
  response.writeHead(range ? 206 : status, headers);
  if (request.method === 'HEAD' || stats.size === 0) {
    response.end();
    return;
  }
  const source = createReadStream(path, { start, end });
  // Headers are out: all that can still be told is that it is not complete.
  source.on('error', () => response.destroy());
  response.on('close', () => source.destroy());
  source.pipe(response);
}

function isFresh(request: IncomingMessage, etag: string, stats: Stats): boolean {
  const match = request.headers['if-none-match'];
  if (match !== undefined) {
    return match.trim() === '*' || match.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  }
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return Math.floor(stats.mtimeMs / 1000) * 1000 <= since;
}

/** One range; several are answered by the whole file, as the standard allows. */
function rangeOf(request: IncomingMessage, etag: string, size: number) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range?.trim() ?? '');
  const condition = request.headers['if-range'];
  if (!match || (match[1] === '' && match[2] === '') || (condition !== undefined && condition !== etag)) return;
  const [, from = '', to = ''] = match;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || start > end) return 'unsatisfiable' as const;
  return { start, end };
}

/** A short answer of the server's own. */
export function plain(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}
