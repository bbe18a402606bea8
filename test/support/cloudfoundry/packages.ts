import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import type { Apps } from './apps.js';
import { readLifecycle } from './apps.js';
import type { Documents } from './documents.js';
import { disabled, forbidden, Refusal, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import type { Build, Droplet, Package } from './objects.js';
import { remove, type World } from './world.js';
import { readZip } from './zip.js';

/** Bits beyond this are counted and forgotten: a gigabyte is uploaded to see that it passes, not to be run. */
const KEPT = 64 * 1024 * 1024;

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
      return { status: 202, headers: { location: documents.url(`/v3/jobs/${job.guid}`).href } };
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

function uploadedAlready(): Refusal {
  return new Refusal(
    400,
    150004,
    'CF-PackageBitsAlreadyUploaded',
    'Bits may be uploaded only once. Create a new package to upload different bits.',
  );
}

interface Upload {
  fields: string[];
  resources?: string;
  bits?: { file: string; size: number; sha256: string };
}

async function receive(world: World, request: IncomingMessage): Promise<Upload> {
  const upload: Upload = { fields: [] };
  const writing: Promise<void>[] = [];
  const parser = new Busboy({ headers: request.headers as { 'content-type': string } });
  parser.on('field', (name, value) => {
    upload.fields.push(name);
    if (name === 'resources') upload.resources = value;
  });
  parser.on('file', (name, stream) => {
    upload.fields.push(name);
    const file = join(world.folder, `${randomUUID()}.zip`);
    const hash = createHash('sha256');
    let size = 0;
    async function* kept(): AsyncGenerator<Buffer> {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length;
        hash.update(chunk);
        if (size <= KEPT) yield chunk;
      }
    }
    writing.push(
      pipeline(kept, createWriteStream(file)).then(() => {
        upload.bits = { file, size, sha256: hash.digest('hex') };
      }),
    );
  });
  await pipeline(request, parser);
  await Promise.all(writing);
  return upload;
}

function accept(world: World, made: Package, { fields, resources, bits }: Upload): void {
  const unknown = fields.filter((name) => name !== 'bits' && name !== 'resources');
  checkBody(
    Object.fromEntries(unknown.map((name) => [name, ''])),
    [],
    [!fields.includes('bits') && !fields.includes('resources') && 'Upload must include either resources or bits'],
  );
  const missing = readResources(resources);
  made.state = 'PROCESSING_UPLOAD';
  world.clock.after(500, async () => {
    const error = missing ?? (bits ? await judge(bits) : undefined);
    Object.assign(made, {
      updated: new Date(),
      state: error === undefined ? 'READY' : 'FAILED',
      size: bits?.size ?? 0,
    });
    if (error !== undefined) made.error = error;
    else Object.assign(made, { checksum: bits?.sha256, ...(bits && bits.size <= KEPT ? { file: bits.file } : {}) });
  });
}

/** The platform knows no file beforehand: naming one fails. */
function readResources(text = '[]'): string | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw unprocessable('Resources must be valid JSON.');
  }
  const [first] = list as { checksum?: { value?: string } }[];
  return first ? `Could not find object '${first.checksum?.value}'` : undefined;
}

async function judge({ file, size }: { file: string; size: number }): Promise<string | undefined> {
  const bytes = await readFile(file);
  if (bytes.subarray(0, 4).toString('latin1') === 'PK\x05\x06')
    return 'The app upload is invalid: Invalid zip archive (zipfile is empty).';
  if (size > KEPT)
    return bytes.subarray(0, 2).toString('latin1') === 'PK'
      ? undefined
      : 'The app upload is invalid: Invalid zip archive.';
  const valid = await readZip(bytes).then(
    () => true,
    () => false,
  );
  return valid ? undefined : 'The app upload is invalid: Invalid zip archive.';
}

function buildRoutes(world: World, documents: Documents, apps: Apps): Routes {
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
