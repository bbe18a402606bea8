import type { FakeCloudFoundry } from '../cloudfoundry.js';
import { makeApp, makeDroplet, makeRoute, makeService } from './invent.js';
import type { App } from './objects.js';
import type { Recorded, Replay } from './replay.js';
import type { CellBehaviour, World } from './world.js';

/** Apps of the recordings that several scenes are about. */
export const WEB = 'ad4e55c5-0878-40bb-a8fc-b92681d2ccbf';
export const QUIRK = '052cc759-b5a4-420d-bf55-7104da5bdb60';
export const ROLL = 'f8ef3a6c-6700-4afd-932e-6c4a7aa469bf';

export function behave(world: World, behaviour?: CellBehaviour['instances']): void {
  if (behaviour === undefined) delete world.cells.instances;
  else world.cells.instances = behaviour;
}

export function appOf({ world }: FakeCloudFoundry, known: Replay, recorded: string): App {
  const app = world.apps.find((one) => one.guid === known.guid(recorded));
  if (!app) throw new Error(`the fake has no app for ${recorded}`);
  return app;
}

function processesOf({ world }: FakeCloudFoundry, app: App) {
  return world.processes.filter((one) => one.app === app);
}

export function size(fake: FakeCloudFoundry, app: App, instances: number): void {
  for (const one of processesOf(fake, app)) {
    one.instances = instances;
    if (app.state === 'STARTED') fake.cells.tell(one);
    else fake.cells.haltProcess(one);
  }
}

export function quiet(fake: FakeCloudFoundry, app: App): void {
  fake.cells.halt(app);
  app.state = 'STOPPED';
}

export function stopped(fake: FakeCloudFoundry, known: Replay, behaviour?: CellBehaviour['instances']): void {
  quiet(fake, appOf(fake, known, WEB));
  behave(fake.world, behaviour);
}

export function started(app: App): void {
  app.state = 'STARTED';
}

export function failedBuild({ world }: FakeCloudFoundry, app: App): void {
  const made = world.packages.filter((one) => one.app === app).at(-1);
  const [by] = world.users;
  if (!made || !by) throw new Error('nothing was staged');
  const { lifecycle } = app;
  world.builds.push({
    ...world.thing(),
    app,
    package: made,
    state: 'FAILED',
    error: 'failed',
    lifecycle,
    memory: 1024,
    disk: 1024,
    by,
  });
}

export function takenHost({ world }: FakeCloudFoundry): void {
  const space = world.spaces.find(({ org }) => org.name === 'globex');
  const [domain] = world.domains;
  if (space && domain)
    world.routes.push({ ...world.thing(), host: 'taken', path: '', domain, space, destinations: [] });
}

export function appIn(fake: FakeCloudFoundry, space: string): App {
  const app = makeApp(fake, undefined, { guid: (guid) => guid, know: () => {}, knows: () => false });
  const wanted = fake.world.spaces.find(({ name }) => name === space);
  if (wanted) app.space = wanted;
  return app;
}

export function mapped(fake: FakeCloudFoundry, known: Replay, recorded: string): void {
  const route = fake.world.routes.find((one) => one.guid === known.guid(recorded));
  const now = new Date();
  const app = appOf(fake, known, WEB);
  route?.destinations.push({
    guid: fake.world.thing().guid,
    app,
    process: 'web',
    port: 8080,
    protocol: 'http1',
    created: now,
    updated: now,
  });
}

export function limit({ options }: World, requests: number): void {
  options.rateLimit = { requests, reset: 3_600_000 };
}

export function plans(world: World, visible: boolean): void {
  for (const plan of world.plans) plan.public = visible;
}

export function appNamed(fake: FakeCloudFoundry, known: Replay, recorded: string, name: string): App {
  const app = appIn(fake, 'prod');
  app.name = name;
  known.know(recorded, app.guid);
  return app;
}

export function bound(fake: FakeCloudFoundry, app: App): string {
  const { world } = fake;
  const nobody = { guid: (guid: string) => guid, know: () => {}, knows: () => false };
  const instance = makeService(fake, undefined, nobody);
  Object.assign(instance, { space: app.space, name: 'gonedb' });
  world.bindings.push({
    ...world.thing(),
    type: 'app',
    name: null,
    instance,
    app,
    credentials: {},
    last: instance.last,
  });
  return instance.guid;
}

/** Apps that were made before, with the labels that later answers show. */
export function labelled(fake: FakeCloudFoundry, known: Replay, recording: readonly Recorded[]): void {
  for (const { response } of recording) {
    const { resources } = (response.body ?? {}) as { resources?: Parameters<typeof makeApp>[1][] };
    for (const document of resources ?? []) {
      const { name } = (document ?? {}) as { name?: string };
      if (!/^l[23]$/.test(name ?? '') || fake.world.apps.some((one) => one.name === name)) continue;
      known.know(document?.guid ?? '', makeApp(fake, document, known).guid);
    }
  }
}

/** A running app with a route, a droplet and a bound managed service. */
export function doomed(fake: FakeCloudFoundry, known: Replay): void {
  const app = appNamed(fake, known, '75b5865e-843e-4ff7-89d5-b4f3f615b559', 'gone');
  app.droplet = makeDroplet(fake, app);
  app.state = 'STARTED';
  for (const one of processesOf(fake, app)) fake.cells.tell(one);
  const route = makeRoute(fake, undefined, known);
  Object.assign(route, { space: app.space, host: 'gone' });
  known.know('4d2f4ebb-06c1-419d-96d3-a5f9ec83b3e6', route.guid);
  known.know('07549f4c-290a-4c81-b7b6-7d28a94f403a', bound(fake, app));
}

export function suspend(world: World, suspended: boolean): void {
  for (const org of world.orgs.filter(({ name }) => name === 'acme')) org.suspended = suspended;
}
