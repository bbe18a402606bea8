/** Pipes what it is sent to a file, and hashes it on the way: what every gateway has to do at least. `sync`: and sees to it that it is on the disk. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const [, , folder, sync] = process.argv;
let count = 0;
const server = createServer(async (request, response) => {
  const hash = createHash('sha256');
  request.on('data', (chunk) => hash.update(chunk));
  await pipeline(request, createWriteStream(join(folder, `received-${++count}`), { flush: sync === 'sync' }));
  response.end(hash.digest('hex'));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`port ${server.address().port}\n`));
