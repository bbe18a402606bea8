/** A program: serves the files of the folder that is its argument, at PORT of HOST. */
import { realpathSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve } from './serve.js';
import { find, folderAddress, notFound, pathOf, plain, send } from './site.js';

const INDEXES = ['index.html', 'index.htm'];

const root = realpathSync(process.argv[2] ?? '.');

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return plain(response, 405, 'Method Not Allowed', { Allow: 'GET, HEAD' });
  }
  const url = request.url ?? '/';
  const target = pathOf(url);
  if (target === undefined) return plain(response, 400, 'Bad Request');
  const found = await find(root, target, INDEXES);
  if (found === undefined) return await notFound(root, request, response);
  if (found === 'folder') return plain(response, 301, 'Moved Permanently', { Location: folderAddress(target, url) });
  send(request, response, found, 200);
}

serve(answer);
