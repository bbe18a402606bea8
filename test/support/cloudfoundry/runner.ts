import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { dirname, join, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App, Droplet, Instance, Process } from './objects.js';
import type { World } from './world.js';
import { readZip } from './zip.js';

export interface Ran {
  port?: number;
  stop?: () => void;
  failed?: string;
}

/** Runs what was deployed: a node application as a process of its own, everything else as a page of the fake's. */
export interface Runner {
  run(process: Process, instance: Instance, droplet: Droplet, onExit: () => void): Promise<Ran>;
  environmentOf(app: App): Record<string, unknown>;
}

export function createRunner(world: World): Runner {
  /** Instances start side by side: none runs what is half unpacked. */
  const unpacked = new Map<string, Promise<void>>();
  return {
    environmentOf: (app) => environmentOf(world, app),
    async run(process, instance, droplet, onExit) {
      const { file } = droplet.package;
      if (file === undefined) return page(world, process, droplet, `${droplet.package.checksum}`);
      const folder = `${file}-${droplet.guid}`;
      const done = unpacked.get(folder) ?? unpack(file, folder);
      unpacked.set(folder, done);
      await done;
      const main = world.options.runs ? mainOf(folder) : undefined;
      if (main !== undefined) return runNode(world, process, instance, { folder, main }, onExit);
      const index = join(folder, 'index.html');
      return page(
        world,
        process,
        droplet,
        existsSync(index) ? await readFile(index, 'utf8') : (await readdir(folder)).join('\n'),
      );
    },
  };
}

/** What answers for a war and everything else that is no node application. */
async function page(world: World, process: Process, droplet: Droplet, content: string): Promise<Ran> {
  const server = createServer((_, response) => {
    world.log(process.app.guid, 'APP/PROC/WEB', 'a request was answered');
    response.setHeader('content-type', 'text/html').end(`${content}\n<!-- droplet ${droplet.guid} -->\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { port, stop: () => server.close() };
}

async function runNode(
  world: World,
  process: Process,
  { index }: Instance,
  { folder, main }: { folder: string; main: string },
  onExit: () => void,
): Promise<Ran> {
  const port = await freePort();
  const { app } = process;
  const environment = environmentOf(world, app) as {
    environment_variables: Record<string, string>;
    system_env_json: unknown;
  };
  const child = spawn(globalThis.process.execPath, [main], {
    cwd: folder,
    env: {
      PATH: globalThis.process.env['PATH'],
      ...environment.environment_variables,
      PORT: String(port),
      VCAP_SERVICES: JSON.stringify(environment.system_env_json),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = (type: 'OUT' | 'ERR') => (bytes: Buffer) => {
    for (const line of bytes.toString('utf8').split('\n').filter(Boolean))
      world.log(app.guid, 'APP/PROC/WEB', line, type, String(index));
  };
  child.stdout.on('data', log('OUT'));
  child.stderr.on('data', log('ERR'));
  let over = false;
  child.once('exit', () => {
    over = true;
    onExit();
  });
  const stop = () => child.kill('SIGKILL');
  for (let attempts = 0; attempts < 400 && !over; attempts += 1) {
    if (await answers(port)) return { port, stop };
    await sleep(25);
  }
  stop();
  return {
    failed: over
      ? 'APP/PROC/WEB: Exited with status 1'
      : 'Instance never healthy after 1m0s: connection refused; process did not exit',
  };
}

function mainOf(folder: string): string | undefined {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) {
    const { main, scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      main?: string;
      scripts?: { start?: string };
    };
    const script = /^node (\S+)$/.exec(scripts?.start ?? '')?.[1];
    return script ?? main ?? 'index.js';
  }
  return existsSync(join(folder, 'server.js')) ? 'server.js' : undefined;
}

async function unpack(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of await readZip(await readFile(file))) {
    const path = join(folder, name);
    // As the real one does: what would leave the folder is left out.
    if (!path.startsWith(folder + sep)) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await buffer(bytes));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** Everything that an app sees, as `GET /v3/apps/:guid/env` tells it. */
function environmentOf(world: World, app: App): Record<string, unknown> {
  const uris = world.routes
    .filter((route) => route.destinations.some((one) => one.app === app))
    .map((route) => `${route.host}.${route.domain.name}${route.path}`);
  const services: Record<string, unknown[]> = {};
  for (const binding of world.bindings.filter((one) => one.app === app && one.last.state === 'succeeded')) {
    const { instance } = binding;
    const label = instance.plan?.offering.name ?? 'user-provided';
    services[label] ??= [];
    services[label].push({
      label,
      ...(instance.plan ? { provider: null, plan: instance.plan.name } : {}),
      name: binding.name ?? instance.name,
      tags: [...(instance.plan?.offering.tags ?? []), ...instance.tags],
      instance_guid: instance.guid,
      instance_name: instance.name,
      binding_guid: binding.guid,
      binding_name: binding.name,
      credentials: binding.credentials,
      syslog_drain_url: null,
      volume_mounts: [],
    });
  }
  const application = {
    cf_api: world.urls.api,
    limits: { fds: 16_384 },
    application_name: app.name,
    application_uris: uris,
    name: app.name,
    space_name: app.space.name,
    space_id: app.space.guid,
    organization_id: app.space.org.guid,
    organization_name: app.space.org.name,
    uris,
    users: null,
    application_id: app.guid,
  };
  return {
    environment_variables: app.env,
    staging_env_json: {},
    running_env_json: {},
    system_env_json: { VCAP_SERVICES: services },
    application_env_json: { VCAP_APPLICATION: application },
  };
}
