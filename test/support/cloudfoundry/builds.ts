import { createHash, randomUUID } from 'node:crypto';
import { type Apps, readLifecycle } from './apps.js';
import type { Documents } from './documents.js';
import { forbidden, Refusal, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes } from './http.js';
import { mergeMetadata } from './labels.js';
import type { Build, Droplet } from './objects.js';
import type { World } from './world.js';

/** Staging. */
export function buildRoutes(world: World, documents: Documents, apps: Apps): Routes {
  const find = ({ params, user }: Call) =>
    world.see(world.builds, params['guid'] ?? '', user, 'Build', (one) => one.app.space);
  const filters = {
    states: (one: Build) => one.state,
    app_guids: (one: Build) => one.app.guid,
    package_guids: (one: Build) => one.package.guid,
  };
  return {
    'POST /v3/builds': ({ body, user }) => {
      checkBody(
        body,
        ['package', 'lifecycle', 'staging_memory_in_mb', 'staging_disk_in_mb', 'metadata'],
        [body['staging_memory_in_mb'] === 0 && 'Staging memory in mb must be greater than 0'],
      );
      const wanted = (body['package'] as { guid?: string } | undefined)?.guid;
      const made = world.packages.find((one) => one.guid === wanted && world.sees(user, one.app.space));
      if (!made)
        throw unprocessable('Unable to use package. Ensure that the package exists and you have access to it.');
      const { app } = made;
      world.mayWrite(user, app.space);
      if (made.state !== 'READY')
        throw new Refusal(400, 1004, 'CF-BadRequest', 'Bad request: Cannot stage package whose state is not ready.');
      if (world.builds.some((one) => one.app === app && one.state === 'STAGING'))
        throw new Refusal(
          422,
          170017,
          'CF-StagingInProgress',
          'Only one build can be STAGING at a time per application.',
        );
      const memory = Number(body['staging_memory_in_mb'] ?? 1024);
      if (memory > app.space.org.quota.total_memory_in_mb)
        throw unprocessable(`organization's memory limit exceeded: staging requires ${memory}M memory`);
      const lifecycle = body['lifecycle'] === undefined ? app.lifecycle : readLifecycle(world, body['lifecycle'], app);
      const build: Build = {
        ...world.thing(),
        app,
        package: made,
        state: 'STAGING',
        lifecycle,
        memory,
        disk: Number(body['staging_disk_in_mb'] ?? 1024),
        by: user,
      };
      mergeMetadata(build, body['metadata']);
      world.builds.push(build);
      stage(world, build);
      return { status: 201, body: documents.build(build) };
    },
    'GET /v3/builds': (call) =>
      listOf(
        call,
        world.urls.api,
        world.builds.filter((one) => world.sees(call.user, one.app.space)),
        documents.build,
        { filters },
      ),
    'GET /v3/apps/:guid/builds': (call) => {
      const app = apps.find(call.params['guid'] ?? '', call.user);
      return listOf(
        call,
        world.urls.api,
        world.builds.filter((one) => one.app === app),
        documents.build,
        { filters },
      );
    },
    'GET /v3/builds/:guid': (call) => ({ status: 200, body: documents.build(find(call)) }),
    'PATCH /v3/builds/:guid': (call) => {
      const build = find(call);
      // Only the platform itself may set a build's state.
      if (call.body['state'] !== undefined) throw forbidden();
      mergeMetadata(build, call.body['metadata']);
      return { status: 200, body: documents.build(build) };
    },
  };
}

/** Where a droplet's command comes from. */
const COMMANDS: Record<string, string> = {
  nodejs_buildpack: 'npm start',
  java_buildpack: 'JAVA_OPTS="…" java org.apache.catalina.startup.Bootstrap start',
};

function stage(world: World, build: Build): void {
  const { staging, stagingTime = 2000 } = world.cells;
  const { app } = build;
  world.log(app.guid, 'STG', 'Downloading app package...');
  world.clock.after(stagingTime, () => {
    if (!world.builds.includes(build)) return;
    build.updated = new Date();
    const unreachable = build.lifecycle.data.buildpacks.find((name) => name.includes('://'));
    const error =
      staging ??
      (unreachable ? 'BuildpackCompileFailed - App staging failed in the buildpack compile phase' : undefined);
    if (error !== undefined) {
      world.log(app.guid, 'STG', `Failed to compile droplet: ${error}`, 'ERR');
      Object.assign(build, { state: 'FAILED', error });
      return;
    }
    world.log(app.guid, 'STG', 'Staging complete');
    const buildpack = build.lifecycle.data.buildpacks[0] ?? 'nodejs_buildpack';
    const droplet: Droplet = {
      ...world.thing(),
      app,
      package: build.package,
      state: 'STAGED',
      checksum: createHash('sha256').update(randomUUID()).digest('hex'),
      buildpack,
      stack: build.lifecycle.data.stack,
      command: COMMANDS[buildpack] ?? '$HOME/boot.sh',
    };
    world.droplets.push(droplet);
    Object.assign(build, { state: 'STAGED', droplet });
  });
}
