import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { plain } from './site.js';

/** Listens at PORT of HOST until SIGTERM, and then answers what it has. */
export function serve(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): void {
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 65_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else plain(response, 500, 'Internal Server Error');
    });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(Number(process.env['PORT']), process.env['HOST']);
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
