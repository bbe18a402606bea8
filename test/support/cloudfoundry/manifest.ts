import { randomUUID } from 'node:crypto';
import { parse } from 'yaml';
import type { Apps } from './apps.js';
import type { Cells } from './cells.js';
import type { Documents } from './documents.js';
import { type Routes, readText } from './http.js';
import type { App, Space, User } from './objects.js';
import type { World } from './world.js';

/** What `cf push` begins with: an app from a manifest, made or changed. */
export function manifestRoutes(world: World, documents: Documents, apps: Apps, cells: Cells): Routes {
  return {
    'POST /v3/spaces/:guid/actions/apply_manifest': async ({ params, user, request }) => {
      const space = world.see(world.spaces, params['guid'] ?? '', user, 'Space', (one) => one);
      world.mayWrite(user, space);
      const manifest = parse(await readText(request)) as { applications: ManifestApp[] };
      const job = world.job('space.apply_manifest', { space: `/v3/spaces/${space.guid}` }, () => {
        for (const wanted of manifest.applications) applyManifest(world, apps, cells, space, wanted, user);
      });
      return documents.accepted(job);
    },
  };
}

interface ManifestApp {
  name: string;
  instances?: number;
  memory?: string;
  'default-route'?: boolean;
  buildpacks?: string[];
  env?: Record<string, string>;
}

function applyManifest(world: World, apps: Apps, cells: Cells, space: Space, wanted: ManifestApp, user: User): void {
  const body = { name: wanted.name, relationships: { space: { data: { guid: space.guid } } } };
  const app: App = world.apps.find((one) => one.space === space && one.name === wanted.name) ?? apps.create(body, user);
  Object.assign(app.env, wanted.env);
  if (wanted.buildpacks)
    app.lifecycle = { type: 'buildpack', data: { buildpacks: wanted.buildpacks, stack: app.lifecycle.data.stack } };
  const process = world.processes.find((one) => one.app === app);
  const memory = /^(\d+)M$/.exec(wanted.memory ?? '')?.[1];
  if (process) {
    const size = { instances: wanted.instances ?? process.instances, memory_in_mb: Number(memory ?? process.memory) };
    cells.scale(process, size);
  }
  const [domain] = world.domains;
  const there = world.routes.some((route) => route.destinations.some((one) => one.app === app));
  if (!wanted['default-route'] || there || !domain) return;
  const destination = {
    guid: randomUUID(),
    app,
    process: 'web',
    port: 8080,
    protocol: 'http1',
    created: new Date(),
    updated: new Date(),
  };
  world.routes.push({ ...world.thing(), host: app.name, path: '', domain, space, destinations: [destination] });
}
