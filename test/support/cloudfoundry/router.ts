import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import type { Process, Route } from './objects.js';
import type { World } from './world.js';

/**
 * What stands before the applications: finds a route by the request's Host, or, where names cannot be resolved, by the first part of the
 * path (`http://127.0.0.1:1234/shop.apps.cf.example/…`).
 */
export function createRouter(world: World): Server {
  let turn = 0;
  return createServer((request, response) => {
    const [, first = '', ...rest] = (request.url ?? '/').split('/');
    const byHost = routeOf(world, request.headers.host ?? '');
    const path = byHost ? request.url : `/${rest.join('/')}`;
    const pass = (attempt: number): void => {
      const port = nextPort(byHost ?? routeOf(world, decodeURIComponent(first)));
      if (port === undefined) {
        response
          .writeHead(404, { 'x-cf-routererror': 'unknown_route' })
          .end('404 Not Found: Requested route does not exist.\n');
        return;
      }
      const onwards = send(
        { host: '127.0.0.1', port, method: request.method, path, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onwards.on('error', () => {
        if (response.headersSent) response.destroy();
        else if (isRepeatable(request) && attempt < ATTEMPTS) pass(attempt + 1);
        else response.writeHead(502, { 'x-cf-routererror': 'endpoint_failure' }).end('502 Bad Gateway\n');
      });
      if (isRepeatable(request)) onwards.end();
      else request.pipe(onwards);
    };
    pass(1);
  });

  function nextPort(route: Route | undefined): number | undefined {
    const ports = (route?.destinations ?? [])
      .flatMap(({ app, process }) => world.processes.filter((one) => one.app === app && one.type === process))
      .flatMap(portsOf);
    turn += 1;
    return ports[turn % Math.max(1, ports.length)];
  }
}

/** As the real router: an instance that ends just now costs an idempotent request without a body nothing but another attempt. */
const ATTEMPTS = 3;
const isRepeatable = ({ method, headers }: IncomingMessage): boolean =>
  ['GET', 'HEAD'].includes(method ?? '') && headers['content-length'] === undefined && !headers['transfer-encoding'];

function routeOf(world: World, host: string): Route | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return world.routes.find((one) => `${one.host}.${one.domain.name}`.toLowerCase() === name);
}

function portsOf({ cells }: Process): number[] {
  return cells.flatMap(({ state, port }) => (state === 'RUNNING' && port !== undefined ? [port] : []));
}
