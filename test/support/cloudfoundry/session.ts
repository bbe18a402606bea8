import type { FakeCloudFoundry } from '../cloudfoundry.js';
import { makeApp, makeDroplet, makeRoute, makeService } from './invent.js';
import type { App } from './objects.js';
import type { Recorded, Replay, Scene } from './replay.js';
import { PASSWORDS } from './seed.js';
import type { CellBehaviour, World } from './world.js';

export type Scenes = Record<number, Scene>;

/** Apps of the recordings that several scenes are about. */
const WEB = 'ad4e55c5-0878-40bb-a8fc-b92681d2ccbf';
const QUIRK = '052cc759-b5a4-420d-bf55-7104da5bdb60';
const ROLL = 'f8ef3a6c-6700-4afd-932e-6c4a7aa469bf';

const basic = (text: string) => () => `Basic ${Buffer.from(text).toString('base64')}`;
const user = (password: string) => () => ({ grant_type: 'password', username: 'dev', password });
const as = (who: string, ...indexes: number[]): Scenes =>
  Object.fromEntries(indexes.map((index) => [index, { as: who }]));

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export const SCENES: Record<string, Scenes> = {
  'root-info-token': {
    6: { authorization: basic('cf:'), form: user(PASSWORDS.dev) },
    7: {
      authorization: basic('cf:'),
      form: ({ uaa }) => ({ grant_type: 'refresh_token', refresh_token: uaa.refreshTokenOf('dev') }),
    },
    8: { authorization: basic('cf:'), form: user('wrong') },
    9: { authorization: basic('cf:') },
    10: { authorization: basic(`robot:${PASSWORDS.client}`) },
    11: { authorization: basic('robot:wrong') },
    14: { authorization: () => 'bearer expired' },
    15: { authorization: () => 'bearer expired' },
    16: { authorization: () => 'bearer of-another-audience' },
    17: { as: 'scopeless' },
    18: { as: 'reader' },
    20: { as: 'stranger' },
  },
  lookups: as('admin', 26),
  errors: {
    ...as('auditor', ...span(30, 35)),
    ...as('stranger', ...span(37, 43)),
    44: { before: ({ world }) => suspend(world, true) },
    47: {
      before: ({ world }) => {
        suspend(world, false);
        world.flags.set('app_bits_upload', { enabled: false, text: 'uploads are closed for maintenance' });
        world.flags.set('app_scaling', { enabled: false });
        world.flags.set('route_creation', { enabled: false });
      },
    },
    50: {
      before: ({ world }) => {
        for (const flag of ['app_bits_upload', 'app_scaling', 'route_creation'])
          world.flags.set(flag, { enabled: true });
      },
    },
  },
  instances: {
    0: { before: (fake, known) => size(fake, appOf(fake, known, WEB), 2) },
    5: { before: ({ world }) => behave(world, 'crash') },
    17: { before: ({ world }) => behave(world) },
    20: { before: (fake, known) => stopped(fake, known, 'deaf') },
    23: { before: (fake, known) => stopped(fake, known, 'no room') },
    26: { before: (fake, known) => stopped(fake, known) },
    30: { before: (fake, known) => started(appOf(fake, known, WEB)) },
    38: {
      before: ({ world }) => {
        world.cells.statsDown = true;
      },
    },
    39: {
      before: ({ world }) => {
        world.cells.schedulerDown = true;
      },
    },
    45: {
      before: ({ world }) => {
        delete world.cells.statsDown;
        delete world.cells.schedulerDown;
      },
    },
  },
  'start-after-new-package': {
    4: { before: (fake, known) => quiet(fake, appOf(fake, known, QUIRK)) },
    13: { before: (fake, known) => quiet(fake, appOf(fake, known, QUIRK)) },
    14: { before: (fake, known) => failedBuild(fake, appOf(fake, known, QUIRK)) },
    18: { before: (fake, known) => quiet(fake, appOf(fake, known, QUIRK)) },
  },
  routes: {
    0: { before: (fake) => takenHost(fake) },
    26: { before: (fake, known) => known.know('5a344e40-5e25-421d-8ad8-02fa19388c7d', appIn(fake, 'prod').guid) },
    39: { before: (fake, known) => mapped(fake, known, '7288f12f-53eb-4657-8504-41356923d753') },
    ...as('stranger', 43),
  },
  'rate-limit': {
    0: { before: ({ world }) => limit(world, 2) },
    5: { before: ({ world }) => limit(world, 3) },
    ...as('auditor', 13),
  },
  'service-user-provided': {
    0: {
      before: ({ world }) => {
        delete world.options.rateLimit;
      },
    },
  },
  'service-managed': {
    ...as('admin', 5),
    0: { before: ({ world }) => plans(world, false) },
    7: { before: ({ world }) => plans(world, true) },
    73: {
      before: ({ world }) => {
        world.unbindFails = 'unbind is broken';
      },
    },
    77: {
      before: ({ world }) => {
        delete world.unbindFails;
      },
    },
    82: {
      before: ({ world }) => {
        world.brokerGone = true;
      },
    },
    86: {
      before: ({ world }) => {
        world.brokerGone = false;
      },
    },
  },
  deployments: {
    0: { before: (fake, known) => known.know(ROLL, appIn(fake, 'dev').guid) },
    1: { before: (fake, known) => size(fake, appOf(fake, known, ROLL), 3) },
    7: { skip: 'the recorded server had lost the file of this droplet and says so in its error' },
    38: { before: ({ world }) => behave(world, 'crash') },
    42: { before: ({ world }) => behave(world) },
    64: { before: (fake, known) => size(fake, appOf(fake, known, ROLL), 1) },
  },
  delete: {
    0: { before: (fake, known) => doomed(fake, known) },
    18: {
      before: (fake, known) => {
        fake.world.unbindFails = 'unbind is broken';
        bound(fake, appNamed(fake, known, 'a5137705-70d8-42e2-aa3d-1a4a019c3261', 'sticky'));
      },
    },
    22: {
      before: ({ world }) => {
        delete world.unbindFails;
      },
    },
    ...as('stranger', 29),
  },
  labels: { 1: { before: (fake, known, recording) => labelled(fake, known, recording) } },
  'cf-cli-push': {
    5: { authorization: basic('cf:'), form: user(PASSWORDS.dev) },
    237: { skip: 'what the audit log tells beside crashes is no part of the fake' },
  },
  'upload-trouble': {
    6: { skip: 'two uploads at the same time: a test of its own shows them' },
  },
};

function behave(world: World, behaviour?: CellBehaviour['instances']): void {
  if (behaviour === undefined) delete world.cells.instances;
  else world.cells.instances = behaviour;
}

function appOf({ world }: FakeCloudFoundry, known: Replay, recorded: string): App {
  const app = world.apps.find((one) => one.guid === known.guid(recorded));
  if (!app) throw new Error(`the fake has no app for ${recorded}`);
  return app;
}

function processesOf({ world }: FakeCloudFoundry, app: App) {
  return world.processes.filter((one) => one.app === app);
}

function size(fake: FakeCloudFoundry, app: App, instances: number): void {
  for (const one of processesOf(fake, app)) {
    one.instances = instances;
    if (app.state === 'STARTED') fake.cells.tell(one);
    else fake.cells.haltProcess(one);
  }
}

function quiet(fake: FakeCloudFoundry, app: App): void {
  fake.cells.halt(app);
  app.state = 'STOPPED';
}

function stopped(fake: FakeCloudFoundry, known: Replay, behaviour?: CellBehaviour['instances']): void {
  quiet(fake, appOf(fake, known, WEB));
  behave(fake.world, behaviour);
}

function started(app: App): void {
  app.state = 'STARTED';
}

function failedBuild({ world }: FakeCloudFoundry, app: App): void {
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

function takenHost({ world }: FakeCloudFoundry): void {
  const space = world.spaces.find(({ org }) => org.name === 'globex');
  const [domain] = world.domains;
  if (space && domain)
    world.routes.push({ ...world.thing(), host: 'taken', path: '', domain, space, destinations: [] });
}

function appIn(fake: FakeCloudFoundry, space: string): App {
  const app = makeApp(fake, undefined, { guid: (guid) => guid, know: () => {}, knows: () => false });
  const wanted = fake.world.spaces.find(({ name }) => name === space);
  if (wanted) app.space = wanted;
  return app;
}

function mapped(fake: FakeCloudFoundry, known: Replay, recorded: string): void {
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

function limit({ options }: World, requests: number): void {
  options.rateLimit = { requests, reset: 3_600_000 };
}

function plans(world: World, visible: boolean): void {
  for (const plan of world.plans) plan.public = visible;
}

function appNamed(fake: FakeCloudFoundry, known: Replay, recorded: string, name: string): App {
  const app = appIn(fake, 'prod');
  app.name = name;
  known.know(recorded, app.guid);
  return app;
}

function bound(fake: FakeCloudFoundry, app: App): string {
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
function labelled(fake: FakeCloudFoundry, known: Replay, recording: readonly Recorded[]): void {
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
function doomed(fake: FakeCloudFoundry, known: Replay): void {
  const app = appNamed(fake, known, '75b5865e-843e-4ff7-89d5-b4f3f615b559', 'gone');
  app.droplet = makeDroplet(fake, app);
  app.state = 'STARTED';
  for (const one of processesOf(fake, app)) fake.cells.tell(one);
  const route = makeRoute(fake, undefined, known);
  Object.assign(route, { space: app.space, host: 'gone' });
  known.know('4d2f4ebb-06c1-419d-96d3-a5f9ec83b3e6', route.guid);
  known.know('07549f4c-290a-4c81-b7b6-7d28a94f403a', bound(fake, app));
}

function suspend(world: World, suspended: boolean): void {
  for (const org of world.orgs.filter(({ name }) => name === 'acme')) org.suspended = suspended;
}
