import { createServer, type Server, type ServerResponse } from 'node:http';
import type { PlatformDeployment } from './objects.js';

/** What a listener needs of its deployment. */
export interface RouteTarget {
  find(): PlatformDeployment | undefined;
  write(deployment: PlatformDeployment, line: string): void;
}

/** The HTTP listeners of the deployments: one for each, from its creation to its deletion, so that its address never changes. */
export interface Routes {
  /** Listens on `port` where it is given and free, else on a free one. Returns the port. */
  open(id: string, target: RouteTarget, port?: number): Promise<number>;
  close(id: string): Promise<void>;
  closeAll(): Promise<void>;
}

export function createRoutes(): Routes {
  const servers = new Map<string, Server>();
  const close = async (id: string): Promise<void> => {
    const server = servers.get(id);
    servers.delete(id);
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    async open(id, target, port) {
      const server = createServer((request, response) =>
        answer(target, request.method ?? 'GET', request.url ?? '/', response),
      );
      servers.set(id, server);
      if (port === undefined) return listen(server, 0);
      return listen(server, port).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE') throw error;
        return listen(server, 0);
      });
    },
    close,
    async closeAll() {
      await Promise.all([...servers.keys()].map(close));
    },
  };
}

function answer(target: RouteTarget, method: string, url: string, response: ServerResponse): void {
  const deployment = target.find();
  const release = deployment?.release;
  if (!deployment?.started || !release) {
    response.writeHead(503, { 'Content-Type': 'text/plain' }).end('This application is stopped.\n');
    return;
  }
  target.write(deployment, `${method} ${url}`);
  const { applicationName: application, versionId: version, artefact } = release;
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ application, version, artefact: { name: artefact.name, sha256: artefact.sha256 } }));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
