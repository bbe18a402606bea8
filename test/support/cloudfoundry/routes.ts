import { randomUUID } from 'node:crypto';
import type { Apps } from './apps.js';
import type { Documents } from './documents.js';
import { disabled, forbidden, notFound, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import type { Destination, Route, User } from './objects.js';
import { remove, type World } from './world.js';

/** Domains, routes and what they lead to. */
export function routeRoutes(world: World, documents: Documents, apps: Apps): Routes {
  const find = ({ params, user }: Call) =>
    world.see(world.routes, params['guid'] ?? '', user, 'Route', (route) => route.space);
  const writable = (call: Call) => {
    const route = find(call);
    world.mayWrite(call.user, route.space);
    return route;
  };
  const filters = {
    hosts: (route: Route) => route.host,
    paths: (route: Route) => route.path,
    domain_guids: (route: Route) => route.domain.guid,
    space_guids: (route: Route) => route.space.guid,
    organization_guids: (route: Route) => route.space.org.guid,
    app_guids: (route: Route) => route.destinations.map((one) => one.app.guid),
  };
  const list = (call: Call, all: Route[]) =>
    listOf(call, world.urls.api, all, documents.route, { filters, extra: ['ports'] });

  return {
    'POST /v3/routes': ({ body, user }) => ({ status: 201, body: documents.route(createRoute(world, body, user)) }),
    'GET /v3/routes': (call) =>
      list(
        call,
        world.routes.filter((route) => world.sees(call.user, route.space)),
      ),
    'GET /v3/apps/:guid/routes': (call) => {
      const app = apps.find(call.params['guid'] ?? '', call.user);
      const query = new URLSearchParams(call.query);
      query.set('app_guids', app.guid);
      return list({ ...call, query }, world.routes);
    },
    'GET /v3/routes/:guid': (call) => ({ status: 200, body: documents.route(find(call)) }),
    'PATCH /v3/routes/:guid': (call) => {
      const route = writable(call);
      checkBody(call.body, ['metadata', 'options']);
      mergeMetadata(route, call.body['metadata']);
      return { status: 200, body: documents.route(route) };
    },
    'DELETE /v3/routes/:guid': (call) => {
      const route = writable(call);
      const job = world.job('route.delete', { route: `/v3/routes/${route.guid}` }, () => remove(world.routes, route));
      return documents.accepted(job);
    },
    'GET /v3/routes/:guid/destinations': (call) => ({ status: 200, body: documents.destinations(find(call)) }),
    'POST /v3/routes/:guid/destinations': (call) => {
      const route = writable(call);
      const added = readDestinations(world, route, call.body, false);
      for (const one of added) {
        const same = route.destinations.find(
          (there) => there.app === one.app && there.process === one.process && there.port === one.port,
        );
        if (!same) route.destinations.push(one);
      }
      return { status: 200, body: documents.destinations(route) };
    },
    'PATCH /v3/routes/:guid/destinations': (call) => {
      const route = writable(call);
      route.destinations = readDestinations(world, route, call.body, true);
      return { status: 200, body: documents.destinations(route) };
    },
    'DELETE /v3/routes/:guid/destinations/:destination': (call) => {
      const route = writable(call);
      const there = route.destinations.find((one) => one.guid === call.params['destination']);
      if (!there)
        throw unprocessable(
          'Unable to unmap route from destination. Ensure the route has a destination with this guid.',
        );
      remove(route.destinations, there);
      return { status: 204 };
    },
    'DELETE /v3/spaces/:guid/routes': ({ params, user }) => {
      const space = world.see(world.spaces, params['guid'] ?? '', user, 'Space', (one) => one);
      const job = world.job('space.delete_unmapped_routes', { space: `/v3/spaces/${space.guid}` }, () => {
        for (const route of world.routes.filter((one) => one.space === space && one.destinations.length === 0))
          remove(world.routes, route);
      });
      return documents.accepted(job);
    },
    'GET /v3/domains': (call) =>
      listOf(
        call,
        world.urls.api,
        world.domains.filter((one) => one.owner === undefined || call.user.admin),
        documents.domain,
        { filters: { names: (one) => one.name, organization_guids: () => '' } },
      ),
    'GET /v3/domains/:guid/route_reservations': ({ params, query }) => {
      const domain = world.domains.find((one) => one.guid === params['guid']);
      if (!domain) throw notFound('Domain');
      const host = query.get('host') ?? '';
      return {
        status: 200,
        body: {
          matching_route: world.routes.some(
            (one) => one.domain === domain && one.host === host && one.path === (query.get('path') ?? ''),
          ),
        },
      };
    },
  };
}

const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

function createRoute(world: World, body: Record<string, unknown>, user: User): Route {
  const { host, path = '', port } = body as { host?: string; path?: string; port?: number };
  checkBody(
    body,
    ['host', 'path', 'port', 'relationships', 'metadata', 'options'],
    [
      host !== undefined &&
        host !== '' &&
        !/^[\w-]+$/.test(host) &&
        'Host must be either "*" or contain only alphanumeric characters, "_", or "-"',
      host !== undefined && host.length > 63 && 'Host is too long (maximum is 63 characters)',
      path !== '' && !path.startsWith('/') && 'Path must begin with /',
    ],
  );
  const space = world.spaces.find((one) => one.guid === relationTo(body, 'space'));
  // Who may not see the space is told that he may not, here.
  if (space && !world.sees(user, space)) throw forbidden();
  if (!space) throw unprocessable('Invalid space. Ensure that the space exists and you have access to it.');
  const domain = world.domains.find((one) => one.guid === relationTo(body, 'domain'));
  if (!domain) throw unprocessable('Invalid domain. Ensure that the domain exists and you have access to it.');
  world.mayWrite(user, space);
  const flag = world.flags.get('route_creation');
  if (!user.admin && flag?.enabled === false) throw disabled(flag.text ?? 'route_creation');
  if (domain.owner)
    throw unprocessable(
      `Invalid domain. Domain '${domain.name}' is not available in organization '${space.org.name}'.`,
    );
  if (port !== undefined)
    throw unprocessable(`Reserved route ports quota exceeded for organization '${space.org.name}'.`);
  if (host === undefined || host === '')
    throw unprocessable('Missing host. Routes in shared domains must have a host defined.');
  const others = world.routes.filter((one) => one.domain === domain && isSame(one.host, host));
  if (others.some((one) => isSame(one.path, path)))
    throw unprocessable(`Route already exists with host '${host}' for domain '${domain.name}'.`);
  if (others.some((one) => one.space !== space))
    throw unprocessable('domain_id and host host_and_domain_taken_different_space');
  const route: Route = { ...world.thing(), host, path, domain, space, destinations: [] };
  mergeMetadata(route, body['metadata']);
  world.routes.push(route);
  return route;
}

function readDestinations(
  world: World,
  route: Route,
  body: Record<string, unknown>,
  replacing: boolean,
): Destination[] {
  const wanted = (body['destinations'] ?? []) as {
    app?: { guid?: string; process?: { type?: string } };
    port?: number;
    protocol?: string;
    weight?: number;
  }[];
  const weighted = wanted.findIndex(({ weight }) => weight !== undefined);
  if (weighted >= 0 && !replacing)
    throw unprocessable(
      `Destinations[${weighted}]: weighted destinations can only be used when replacing all destinations.`,
    );
  return wanted.map(({ app: { guid, process } = {}, port = 8080, protocol = 'http1' }) => {
    const app = world.apps.find((one) => one.guid === guid);
    if (!app) throw unprocessable(`App(s) with guid(s) "${guid}" do not exist.`);
    if (app.space !== route.space)
      throw unprocessable("Routes destinations must be in either the route's space or the route's shared spaces");
    return {
      guid: randomUUID(),
      app,
      process: process?.type ?? 'web',
      port,
      protocol,
      created: new Date(),
      updated: new Date(),
    };
  });
}
