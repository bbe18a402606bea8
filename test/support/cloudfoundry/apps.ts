import type { Cells } from './cells.js';
import type { Documents } from './documents.js';
import { disabled, forbidden, notFound, Refusal, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationshipFault, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import type { App, Lifecycle, User } from './objects.js';
import { processRoutes } from './process-routes.js';
import { newProcess } from './processes.js';
import { remove, type World } from './world.js';

const STACK = 'cflinuxfs4';

export interface Apps {
  routes: Routes;
  find(guid: string, user: User): App;
  writable(guid: string, user: User): App;
  create(body: Record<string, unknown>, user: User): App;
}

/** Apps: making, changing, their environment, starting and stopping, deleting. */
export function appRoutes(world: World, documents: Documents, cells: Cells): Apps {
  const find = (guid: string, user: User) => world.see(world.apps, guid, user, 'App', (app) => app.space);
  const writable = (guid: string, user: User) => {
    const app = find(guid, user);
    world.mayWrite(user, app.space);
    return app;
  };
  const shown = (app: App, status = 200) => ({ status, body: documents.app(app) });

  function create(body: Record<string, unknown>, user: User): App {
    const { name } = body;
    checkBody(
      body,
      ['name', 'relationships', 'lifecycle', 'environment_variables', 'metadata'],
      [
        relationshipFault(body, 'space'),
        typeof name !== 'string' && 'Name must be a string',
        typeof name === 'string' && name.length > 255 && 'Name is too long (maximum is 255 characters)',
      ],
    );
    const lifecycle = readLifecycle(world, body['lifecycle']);
    const space = world.space(relationTo(body, 'space'), user);
    world.mayWrite(user, space);
    if (name === '') throw unprocessable('name presence, name format');
    if (isTaken(world, space.guid, String(name)))
      throw new Refusal(422, 10016, 'CF-UniquenessError', `App with the name '${name}' already exists.`);
    const app: App = {
      ...world.thing(),
      name: String(name),
      state: 'STOPPED',
      space,
      lifecycle,
      env: {},
      revisions: 0,
    };
    mergeMetadata(app, body['metadata']);
    setVariables(app, (body['environment_variables'] ?? {}) as Record<string, unknown>);
    world.apps.push(app);
    // The first process exists at once, and has the app's guid.
    world.processes.push(newProcess(world, app, app.guid));
    return app;
  }

  function act(wish: App['state'], restart: boolean) {
    return ({ params, user }: Call) => {
      const app = writable(params['guid'] ?? '', user);
      cells.wish(app, wish, restart);
      return shown(app);
    };
  }

  const routes: Routes = {
    'POST /v3/apps': ({ body, user }) => shown(create(body, user), 201),
    'GET /v3/apps': (call) =>
      listOf(
        call,
        world.urls.api,
        world.apps.filter((app) => world.sees(call.user, app.space)),
        documents.app,
        {
          filters: {
            names: (app) => app.name,
            space_guids: (app) => app.space.guid,
            organization_guids: (app) => app.space.org.guid,
          },
          extra: ['lifecycle_type', 'stacks'],
          orders: ['created_at', 'updated_at', 'name', 'state'],
          include: {
            space: (apps) => ({ spaces: unique(apps.map((app) => app.space)).map(documents.space) }),
            org: (apps) => ({ organizations: unique(apps.map((app) => app.space.org)).map(documents.org) }),
            'space.organization': (apps) => ({
              spaces: unique(apps.map((app) => app.space)).map(documents.space),
              organizations: unique(apps.map((app) => app.space.org)).map(documents.org),
            }),
          },
        },
      ),
    'GET /v3/apps/:guid': ({ params, user }) => shown(find(params['guid'] ?? '', user)),
    'PATCH /v3/apps/:guid': ({ params, body, user }) => {
      const app = writable(params['guid'] ?? '', user);
      checkBody(body, ['name', 'lifecycle', 'metadata']);
      const { name } = body;
      if (
        typeof name === 'string' &&
        name.toLowerCase() !== app.name.toLowerCase() &&
        isTaken(world, app.space.guid, name)
      )
        throw unprocessable(`App with the name '${name}' already exists.`);
      const lifecycle = body['lifecycle'] === undefined ? app.lifecycle : readLifecycle(world, body['lifecycle'], app);
      mergeMetadata(app, body['metadata']);
      Object.assign(app, { lifecycle, updated: new Date(), ...(typeof name === 'string' ? { name } : {}) });
      return shown(app);
    },
    'DELETE /v3/apps/:guid': ({ params, user }) => {
      const app = writable(params['guid'] ?? '', user);
      const job = world.job('app.delete', { app: `/v3/apps/${app.guid}` }, () => deleteApp(world, cells, app));
      return documents.accepted(job);
    },
    'GET /v3/apps/:guid/environment_variables': ({ params, user }) => {
      const app = find(params['guid'] ?? '', user);
      if (world.mayRead(user, app.space)) return { status: 200, body: variables(documents, app) };
      throw forbidden();
    },
    'PATCH /v3/apps/:guid/environment_variables': ({ params, body, user }) => {
      const app = writable(params['guid'] ?? '', user);
      checkBody(body, ['var']);
      setVariables(app, (body['var'] ?? {}) as Record<string, unknown>);
      return { status: 200, body: variables(documents, app) };
    },
    'GET /v3/apps/:guid/env': ({ params, user }) => {
      const app = find(params['guid'] ?? '', user);
      if (!world.mayRead(user, app.space)) throw forbidden();
      return { status: 200, body: cells.environmentOf(app) };
    },
    'POST /v3/apps/:guid/actions/start': act('STARTED', false),
    'POST /v3/apps/:guid/actions/stop': act('STOPPED', false),
    'POST /v3/apps/:guid/actions/restart': act('STARTED', true),
    'POST /v3/apps/:guid/actions/clear_buildpack_cache': ({ params, user }) => {
      const app = writable(params['guid'] ?? '', user);
      const job = world.job('app.clear_buildpack_cache', { app: `/v3/apps/${app.guid}` }, () => {});
      return documents.accepted(job);
    },
    'GET /v3/apps/:guid/droplets/current': ({ params, user }) => {
      const { droplet } = find(params['guid'] ?? '', user);
      if (!droplet) throw notFound('Droplet');
      return { status: 200, body: documents.droplet(droplet) };
    },
    'PATCH /v3/apps/:guid/relationships/current_droplet': ({ params, body, user }) => {
      const app = writable(params['guid'] ?? '', user);
      const data = body['data'] as { guid?: string } | null;
      if (data === null) throw unprocessable('Current droplet cannot be removed. Replace it with a preferred droplet.');
      const droplet = world.droplets.find((one) => one.guid === data?.guid && one.app === app);
      if (!droplet)
        throw unprocessable('Unable to assign current droplet. Ensure the droplet exists and belongs to this app.');
      if (world.deployments.some((one) => one.app === app && one.status === 'ACTIVE'))
        throw unprocessable(
          'Unable to assign current droplet while the app has a deployment in progress. Wait for the deployment to complete or cancel it.',
        );
      app.droplet = droplet;
      app.updated = new Date();
      const links = {
        self: documents.url(`/v3/apps/${app.guid}/relationships/current_droplet`),
        related: documents.url(`/v3/apps/${app.guid}/droplets/current`),
      };
      return { status: 200, body: { data: { guid: droplet.guid }, links } };
    },
    ...processRoutes(world, documents, cells, { find, writable }),
  };
  return { routes, find, writable, create };
}

/** Everything of an app goes with it but its routes and its services. A broker that cannot unbind keeps it. */
export function deleteApp(world: World, cells: Cells, app: App): void {
  cells.halt(app);
  app.state = 'STOPPED';
  const bound = world.bindings.filter((one) => one.app === app);
  const managed = bound.find((one) => one.instance.type === 'managed');
  if (managed && world.unbindFails !== undefined)
    throw unprocessable(
      `Service broker failed to delete service binding for instance ${managed.instance.name}: Service broker error: ${world.unbindFails}`,
    );
  for (const all of [
    world.bindings,
    world.processes,
    world.builds,
    world.droplets,
    world.packages,
    world.deployments,
  ] as { app?: App }[][])
    for (const one of all.filter((thing) => thing.app === app)) remove(all, one);
  for (const route of world.routes) route.destinations = route.destinations.filter((one) => one.app !== app);
  remove(world.apps, app);
}

export function readLifecycle(world: World, value: unknown, app?: App): Lifecycle {
  if (value === undefined || value === null) return { type: 'buildpack', data: { buildpacks: [], stack: STACK } };
  const { type, data } = value as { type?: string; data?: { buildpacks?: string[] | null; stack?: string } };
  if (!['buildpack', 'docker', 'cnb'].includes(String(type)))
    throw unprocessable('Lifecycle type is not included in the list: buildpack, docker, cnb');
  if (app && type !== app.lifecycle.type)
    throw unprocessable(`Lifecycle type cannot be changed from ${app.lifecycle.type} to ${type}`);
  if (type === 'docker' && world.flags.get('diego_docker')?.enabled === false) throw disabled('diego_docker');
  const stack = data?.stack ?? STACK;
  if (!world.stacks.some((one) => one.name === stack)) throw unprocessable('Stack must be an existing stack');
  const buildpacks = data?.buildpacks ?? [];
  const unknown = buildpacks.find(
    (name) => !/^\w+:\/\//.test(name) && !world.buildpacks.some((one) => one.name === name),
  );
  if (unknown !== undefined)
    throw unprocessable(
      `Buildpack "${unknown}" for stack "${stack}" must be an existing admin buildpack or a valid git URI`,
    );
  return { type: String(type), data: { buildpacks, stack } };
}

function isTaken(world: World, space: string, name: string): boolean {
  return world.apps.some((app) => app.space.guid === space && app.name.toLowerCase() === name.toLowerCase());
}

function setVariables(app: App, changes: Record<string, unknown>): void {
  const wrong = Object.entries(changes)
    .filter(([, value]) => value !== null && typeof value !== 'string')
    .map(
      ([key, value]) =>
        `Non-string value in environment variable for key '${key}', value '${typeof value === 'object' ? JSON.stringify(value) : String(value)}'`,
    );
  for (const name of Object.keys(changes)) {
    if (name === 'PORT') wrong.push('Var cannot set PORT');
    for (const prefix of ['VCAP_', 'VMC_']) if (name.startsWith(prefix)) wrong.push(`Var cannot start with ${prefix}`);
  }
  if (wrong.length > 0) throw unprocessable(wrong.join(', '));
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete app.env[name];
    else app.env[name] = String(value);
  }
}

function variables(documents: Documents, app: App) {
  const links = {
    self: documents.url(`/v3/apps/${app.guid}/environment_variables`),
    app: documents.url(`/v3/apps/${app.guid}`),
  };
  return { var: app.env, links };
}

function unique<T>(all: readonly T[]): T[] {
  return [...new Set(all)];
}
