import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appRoutes } from './cloudfoundry/apps.js';
import { bindingRoutes } from './cloudfoundry/bindings.js';
import { type Cells, createCells } from './cloudfoundry/cells.js';
import { deploymentRoutes } from './cloudfoundry/deployments.js';
import { documentsOf } from './cloudfoundry/documents.js';
import { errorBody, forbidden, invalidToken, noToken, Refusal } from './cloudfoundry/errors.js';
import { type Answer, findHandler, type Routes, readBody } from './cloudfoundry/http.js';
import { createLogCache } from './cloudfoundry/log-cache.js';
import { lookupRoutes } from './cloudfoundry/lookups.js';
import { manifestRoutes } from './cloudfoundry/manifest.js';
import { marketplaceRoutes } from './cloudfoundry/marketplace.js';
import type { User } from './cloudfoundry/objects.js';
import { packageRoutes } from './cloudfoundry/packages.js';
import { createLimits } from './cloudfoundry/rate-limit.js';
import { rootRoutes } from './cloudfoundry/root.js';
import { createRouter } from './cloudfoundry/router.js';
import { routeRoutes } from './cloudfoundry/routes.js';
import { createRunner } from './cloudfoundry/runner.js';
import { PASSWORDS, seed } from './cloudfoundry/seed.js';
import { serviceRoutes } from './cloudfoundry/services.js';
import { createTrouble, type Trouble } from './cloudfoundry/trouble.js';
import { createUaa, type Uaa } from './cloudfoundry/uaa.js';
import { World, type WorldOptions } from './cloudfoundry/world.js';

/** One request to the Cloud Controller and its answer, as both went over the wire. */
export interface Exchange {
  method: string;
  /** With the query. */
  path: string;
  requestBody: unknown;
  status: number;
  headers: Record<string, string>;
  responseBody: unknown;
}

/**
 * A small Cloud Foundry: UAA, Cloud Controller with its jobs, cells, log cache and router, each listening on a port of its own. It refuses
 * what the real one was seen to refuse.
 */
export interface FakeCloudFoundry {
  world: World;
  cells: Cells;
  uaa: Uaa;
  trouble: Trouble;
  /** Every request to the Cloud Controller: `METHOD /path`. */
  requests: string[];
  /** With all that was said, when the world records. */
  exchanges: Exchange[];
  /** Options of the adapter that lead here, for the developer of the space. */
  options(changes?: Record<string, unknown>): Record<string, unknown>;
  /** Everything that was made, by name. */
  inventory(): string[];
  close(): Promise<void>;
}

export async function startCloudFoundry(options: WorldOptions = {}): Promise<FakeCloudFoundry> {
  const world = new World(options);
  seed(world);
  const uaa = createUaa(world);
  const trouble = createTrouble();
  const requests: string[] = [];
  const exchanges: Exchange[] = [];
  const limits = createLimits(world);
  const cells = createCells(world, createRunner(world));
  const documents = documentsOf(world);
  const apps = appRoutes(world, documents, cells);
  const routes: Routes = {
    ...lookupRoutes(world, documents),
    ...manifestRoutes(world, documents, apps, cells),
    ...apps.routes,
    ...packageRoutes(world, documents, apps),
    ...deploymentRoutes(world, documents, cells),
    ...routeRoutes(world, documents, apps),
    ...marketplaceRoutes(world, documents),
    ...serviceRoutes(world, documents),
    ...bindingRoutes(world, documents),
  };
  const open = rootRoutes(world);

  const api = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://api');
    const line = `${request.method} ${url.pathname}`;
    requests.push(line);
    if (await trouble.before(request, response, line)) return;
    const exchange = { method: request.method ?? '', path: request.url ?? '', requestBody: undefined as unknown };
    const answer = await answerTo(request, url, exchange).catch((error: unknown): Answer => {
      if (error instanceof Refusal) return { status: error.status, body: errorBody(error) };
      const { message, stack } = error as Error;
      return { status: 500, body: { errors: [{ detail: `${message} ${stack}`, title: 'UnknownError', code: 10001 }] } };
    });
    request.resume();
    if (trouble.after(response, line)) return;
    const headers = { 'content-type': 'application/json; charset=utf-8', ...answer.headers };
    if (options.records) exchanges.push({ ...exchange, status: answer.status, headers, responseBody: answer.body });
    send(response, answer, headers);
  });

  async function answerTo(request: IncomingMessage, url: URL, exchange: { requestBody: unknown }): Promise<Answer> {
    const method = request.method ?? 'GET';
    const user = holderOf(request, uaa);
    const known = findOpen(open, method, url.pathname, user);
    if (known && !url.pathname.startsWith('/v3/')) return known;
    const counted = limits.count(user, url.pathname);
    if (counted.refusal) return counted.refusal;
    if (known) return { ...known, headers: counted.headers };
    try {
      const allowed = admit(user, request, method);
      const { handler, params } = findHandler(routes, method, url.pathname);
      const takesBody = !/\/(upload|apply_manifest)$/.test(url.pathname);
      const body = takesBody ? await readBody(request) : {};
      exchange.requestBody = body;
      const answer = await handler({
        method,
        path: url.pathname,
        params,
        query: url.searchParams,
        body,
        user: allowed,
        request,
      });
      return { ...answer, headers: { ...counted.headers, ...answer.headers } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, body: errorBody(error), headers: counted.headers };
    }
  }

  const logs = createLogCache(world, uaa);
  const router = createRouter(world);
  const servers = [api, uaa.server, logs, router];
  const [apiUrl, uaaUrl, logsUrl, routerUrl] = await Promise.all(servers.map(listen));
  world.urls = { api: apiUrl ?? '', uaa: uaaUrl ?? '', logs: logsUrl ?? '', router: routerUrl ?? '' };

  return {
    world,
    cells,
    uaa,
    trouble,
    requests,
    exchanges,
    options: (changes = {}) => ({
      apiUrl: world.urls.api,
      user: 'dev',
      password: PASSWORDS.dev,
      org: 'acme',
      space: 'dev',
      routeUrl: `${world.urls.router}/{host}`,
      // Long: on a busy machine the fake, which shares a process with the adapter, can be slow.
      requestTimeout: 30,
      stagingTimeout: 60,
      startTimeout: 60,
      serviceTimeout: 60,
      pollInterval: 0.01,
      settleTime: 0.02,
      patience: 3,
      ...changes,
    }),
    inventory: () => inventoryOf(world),
    async close() {
      for (const process of world.processes) cells.haltProcess(process);
      world.clock.stop();
      trouble.clear();
      await Promise.all(servers.map(closeServer));
      rmSync(world.folder, { recursive: true, force: true });
    },
  };
}

function findOpen(open: Routes, method: string, path: string, user: User | undefined): Answer | undefined {
  const handler = open[`${method} ${path}` as keyof Routes];
  // What everybody may read looks at nothing else.
  return handler?.({ user } as never) as Answer | undefined;
}

function holderOf(request: IncomingMessage, uaa: Uaa): User | undefined {
  return uaa.holder((request.headers.authorization ?? '').replace(/^bearer /i, ''));
}

/** Who asks, when he may. The body of a request that is not let in is not looked at. */
function admit(user: User | undefined, { headers }: IncomingMessage, method: string): User {
  if (!/^bearer /i.test(headers.authorization ?? '')) throw noToken();
  if (!user) throw invalidToken();
  const scope = method === 'GET' ? 'cloud_controller.read' : 'cloud_controller.write';
  if (!user.admin && !user.scopes.includes(scope)) throw forbidden();
  return user;
}

function send(response: ServerResponse, { status, body }: Answer, headers: Record<string, string>): void {
  if (body === undefined) {
    const { 'content-type': _type, ...rest } = headers;
    response.writeHead(status, rest).end();
    return;
  }
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
}

function inventoryOf(world: World): string[] {
  return [
    ...world.apps.map((one) => `app ${one.name}`),
    ...world.packages.map((one) => `package of ${one.app.name}`),
    ...world.droplets.map((one) => `droplet of ${one.app.name}`),
    ...world.routes.map((one) => `route ${one.host}`),
    ...world.services.map((one) => `service ${one.name}`),
    ...world.bindings.map((one) => `binding of ${one.instance.name} to ${one.app?.name}`),
  ].sort();
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
