/**
 * A program: the web server before PHP-FPM. `php-front FOLDER FPM CONFIGURATION` starts FPM as its child, serves files of the folder,
 * and gives .php files, and what is no file, to FPM. It ends when FPM ends. In the configuration `@SOCKET@` stands for FPM's socket.
 */
import { spawn } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { askFastCgi } from './fastcgi.js';
import { serve } from './serve.js';
import { find, folderAddress, look, notFound, pathOf, plain, send } from './site.js';

const INDEXES = ['index.php', 'index.html', 'index.htm'];

const [, , folder = '.', fpm = 'php-fpm', configuration = ''] = process.argv;
const root = realpathSync(folder);
const temp = process.env['TMPDIR'] ?? tmpdir();
// The path of a socket is limited to about a hundred bytes.
const place = mkdtempSync(join(Buffer.byteLength(temp) < 80 ? temp : '/tmp', 'coaps-php-'));
const socketPath = join(place, 's');

interface Script {
  /** Real path of the file. */
  file: string;
  /** Its address. */
  name: string;
  /** What follows it in the address. */
  rest: string;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/';
  const target = pathOf(url);
  if (target === undefined) return plain(response, 400, 'Bad Request');
  const found = await find(root, target, INDEXES);
  if (found === 'folder') return plain(response, 301, 'Moved Permanently', { Location: folderAddress(target, url) });
  if (found && !found.path.endsWith('.php')) {
    if (request.method === 'GET' || request.method === 'HEAD') return send(request, response, found, 200);
    return plain(response, 405, 'Method Not Allowed', { Allow: 'GET, HEAD' });
  }
  const script = found ? scriptAt(found.path, '') : await scriptAbove(target);
  if (!script) return await notFound(root, request, response);
  await run(script, request, response);
}

function scriptAt(file: string, rest: string): Script {
  return { file, name: `/${relative(root, file).split(sep).join('/')}`, rest };
}

/** `/a.php/more` is a.php with `/more`; everything else that is no file goes to the site's index.php. */
async function scriptAbove(target: string): Promise<Script | undefined> {
  const parts = target.split('/').filter(Boolean);
  const at = parts.findIndex((part) => part.endsWith('.php'));
  if (at >= 0 && !parts.slice(0, at + 1).some((part) => part.startsWith('.'))) {
    const file = await look(root, join(root, ...parts.slice(0, at + 1)));
    if (file?.stats.isFile()) return scriptAt(file.path, `/${parts.slice(at + 1).join('/')}`);
  }
  const index = await look(root, join(root, 'index.php'));
  return index?.stats.isFile() ? scriptAt(index.path, '') : undefined;
}

async function run(script: Script, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const spooled = request.headers['transfer-encoding'] === undefined ? undefined : await spool(request);
  try {
    const input: Readable = spooled ? createReadStream(spooled.file) : request;
    const length = spooled ? String(spooled.size) : (request.headers['content-length'] ?? '');
    const { status, headers, body } = await askFastCgi(socketPath, paramsOf(script, request, length), input);
    response.on('close', () => body.destroy());
    for (const [name, value] of headers) response.appendHeader(name, value);
    response.writeHead(status);
    await pipeline(body, response).catch(() => response.destroy());
  } finally {
    if (spooled) await rm(spooled.file, { force: true });
  }
}

/** PHP wants to know the length of a body before it reads it. */
async function spool(request: IncomingMessage): Promise<{ file: string; size: number }> {
  const file = join(temp, `body-${process.hrtime.bigint()}`);
  await pipeline(request, createWriteStream(file, { mode: 0o600 }));
  return { file, size: (await stat(file)).size };
}

function paramsOf(script: Script, request: IncomingMessage, length: string): Record<string, string> {
  const { headers, socket } = request;
  const url = request.url ?? '/';
  const [host = 'localhost', port] = (headers.host ?? 'localhost').split(/:(?=\d+$)/);
  const single = (value: string | string[] | undefined) => [value ?? []].flat().join(', ');
  const isSecure = headers['x-forwarded-proto'] === 'https';
  const own: Record<string, string> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: 'coaps',
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    SERVER_NAME: host,
    SERVER_PORT: port ?? (single(headers['x-forwarded-port']) || '80'),
    REQUEST_METHOD: request.method ?? 'GET',
    REQUEST_URI: url,
    REQUEST_SCHEME: isSecure ? 'https' : 'http',
    QUERY_STRING: url.includes('?') ? url.slice(url.indexOf('?') + 1) : '',
    DOCUMENT_ROOT: root,
    SCRIPT_FILENAME: script.file,
    SCRIPT_NAME: script.name,
    PHP_SELF: script.name + script.rest,
    PATH_INFO: script.rest,
    // Our own proxy is in front and has overwritten what the client claimed.
    REMOTE_ADDR: single(headers['x-real-ip']) || (socket.remoteAddress ?? ''),
    CONTENT_TYPE: headers['content-type'] ?? '',
    CONTENT_LENGTH: length,
    REDIRECT_STATUS: '200',
    ...(isSecure && { HTTPS: 'on' }),
  };
  const fields = Object.entries(headers)
    // A header named Proxy would become HTTP_PROXY, which programs take for a setting (httpoxy).
    .filter(([name]) => !['proxy', 'content-type', 'content-length'].includes(name))
    .map(([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, single(value)]);
  return { ...Object.fromEntries(fields), ...own };
}

writeFileSync(join(place, 'fpm.conf'), readFileSync(configuration, 'utf8').replaceAll('@SOCKET@', socketPath));
const child = spawn(fpm, ['--nodaemonize', '--force-stderr', '--fpm-config', join(place, 'fpm.conf')], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
child.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on('exit', (code) => process.exit(code ?? 1));
process.on('exit', () => rmSync(place, { recursive: true, force: true }));
process.on('SIGTERM', () => child.kill('SIGQUIT'));

async function whenReady(): Promise<void> {
  while (!(await stat(socketPath).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 20));
  serve(answer);
}
void whenReady();
