// A platform tells an application where to listen by PORT and HOST, and ends it with SIGTERM. That is the whole contract.
import { createServer } from 'node:http';
import { page } from './page.js';

const started = Date.now();
let requests = 0;

const server = createServer((request, response) => {
  if (request.url === '/health') {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok\n');
    return;
  }
  requests += 1;
  const facts = {
    Runtime: `Node.js ${process.version}`,
    Process: String(process.pid),
    'Up for': `${Math.round((Date.now() - started) / 1000)} s`,
    'Requests answered': String(requests),
    'Memory in use': `${Math.round(process.memoryUsage().rss / 1024 ** 2)} MiB`,
    'You asked': request.headers.host ?? '',
  };
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(page(process.env.GREETING ?? 'Hello from Node', facts));
});

server.listen(Number(process.env.PORT ?? 3000), process.env.HOST, () => {
  console.log('hello-node listens on', server.address());
});

process.on('SIGTERM', () => {
  console.log('hello-node was asked to stop');
  server.close();
  server.closeIdleConnections();
});
