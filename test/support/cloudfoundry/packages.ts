import type { Apps } from './apps.js';
import { buildRoutes } from './builds.js';
import type { Documents } from './documents.js';
import { disabled, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import type { Droplet, Package } from './objects.js';
import { accept, receive, uploadedAlready } from './uploads.js';
import { remove, type World } from './world.js';

/** Packages with their uploads, builds and droplets. */
export function packageRoutes(world: World, documents: Documents, apps: Apps): Routes {
  const find = ({ params, user }: Call) =>
    world.see(world.packages, params['guid'] ?? '', user, 'Package', (one) => one.app.space);
  const filters = {
    states: (one: Package) => one.state,
    types: (one: Package) => one.type,
    app_guids: (one: Package) => one.app.guid,
    space_guids: (one: Package) => one.app.space.guid,
  };
  return {
    'POST /v3/packages': ({ body, user }) => {
      checkBody(body, ['type', 'relationships', 'data', 'metadata']);
      const app = world.apps.find((one) => one.guid === relationTo(body, 'app'));
      if (!app || !world.sees(user, app.space))
        throw unprocessable('App is invalid. Ensure it exists and you have access to it.');
      world.mayWrite(user, app.space);
      if (body['type'] === 'docker') throw unprocessable('Cannot create Docker package for a buildpack app.');
      const made: Package = { ...world.thing(), app, type: 'bits', state: 'AWAITING_UPLOAD', size: 0 };
      mergeMetadata(made, body['metadata']);
      world.packages.push(made);
      return { status: 201, body: documents.package(made) };
    },
    'GET /v3/packages': (call) =>
      listOf(
        call,
        world.urls.api,
        world.packages.filter((one) => world.sees(call.user, one.app.space)),
        documents.package,
        { filters },
      ),
    'GET /v3/apps/:guid/packages': (call) => {
      const app = apps.find(call.params['guid'] ?? '', call.user);
      return listOf(
        call,
        world.urls.api,
        world.packages.filter((one) => one.app === app),
        documents.package,
        { filters },
      );
    },
    'GET /v3/packages/:guid': (call) => ({ status: 200, body: documents.package(find(call)) }),
    'DELETE /v3/packages/:guid': (call) => {
      const made = find(call);
      world.mayWrite(call.user, made.app.space);
      const job = world.job('package.delete', { package: `/v3/packages/${made.guid}` }, () =>
        remove(world.packages, made),
      );
      return documents.accepted(job);
    },
    'POST /v3/packages/:guid/upload': async (call) => {
      const made = find(call);
      world.mayWrite(call.user, made.app.space);
      const flag = world.flags.get('app_bits_upload');
      if (!call.user.admin && flag?.enabled === false) throw disabled(flag.text ?? 'app_bits_upload');
      if (made.state !== 'AWAITING_UPLOAD') throw uploadedAlready();
      const upload = await receive(world, call.request);
      accept(world, made, upload);
      return { status: 200, body: documents.package(made) };
    },
    'POST /v3/resource_matches': () => ({ status: 201, body: { resources: [] } }),
    ...buildRoutes(world, documents, apps),
    ...dropletRoutes(world, documents, apps),
  };
}

function dropletRoutes(world: World, documents: Documents, apps: Apps): Routes {
  const filters = { states: (one: Droplet) => one.state, app_guids: (one: Droplet) => one.app.guid };
  const listed = (one: Droplet) => documents.droplet(one, { listed: true });
  return {
    'GET /v3/droplets': (call) =>
      listOf(
        call,
        world.urls.api,
        world.droplets.filter((one) => world.sees(call.user, one.app.space)),
        listed,
        { filters },
      ),
    'GET /v3/droplets/:guid': ({ params, user }) => ({
      status: 200,
      body: documents.droplet(world.see(world.droplets, params['guid'] ?? '', user, 'Droplet', (one) => one.app.space)),
    }),
    'GET /v3/apps/:guid/droplets': (call) => {
      const app = apps.find(call.params['guid'] ?? '', call.user);
      return listOf(
        call,
        world.urls.api,
        world.droplets.filter((one) => one.app === app),
        listed,
        { filters },
      );
    },
    'GET /v3/packages/:guid/droplets': (call) => {
      const made = world.see(world.packages, call.params['guid'] ?? '', call.user, 'Package', (one) => one.app.space);
      return listOf(
        call,
        world.urls.api,
        world.droplets.filter((one) => one.package === made),
        listed,
        { filters },
      );
    },
  };
}
