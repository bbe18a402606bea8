import type { FakeCloudFoundry } from '../cloudfoundry.js';
import type { App, Droplet, Package, Thing } from './objects.js';
import { newProcess } from './processes.js';
import type { Recorded, Replay } from './replay.js';

type Document = Record<string, unknown> & { guid: string };

/**
 * Something that a recording uses without showing how it was made: made on the fake as the recording's later answers, or its use, say.
 * Gives its guid; undefined when nothing of that kind is known.
 */
export function invent(
  fake: FakeCloudFoundry,
  recording: readonly Recorded[],
  from: number,
  guid: string,
  known: Replay,
): string | undefined {
  const { world } = fake;
  const document = findDocument(recording, guid);
  const first = recording[from]?.request;
  const kind = kindOf(first?.path ?? '', JSON.stringify(first?.body ?? ''), guid);
  const named = (all: readonly (Thing & { name: string })[], name: unknown) =>
    all.find((one) => one.name === name)?.guid;
  const appOf = (owner: unknown): App => {
    const wanted = (
      (owner as Document | undefined)?.['relationships'] as { app?: { data?: { guid?: string } } } | undefined
    )?.app?.data?.guid;
    const there = world.apps.find((one) => one.guid === known.guid(wanted ?? ''));
    if (there) return there;
    const made = makeApp(fake, wanted === undefined ? undefined : findDocument(recording, wanted), known);
    if (wanted !== undefined) known.know(wanted, made.guid);
    return made;
  };
  switch (kind) {
    case 'apps':
      return named(world.apps, document?.['name']) ?? makeApp(fake, document, known).guid;
    case 'processes':
      return world.processes.find((one) => one.app === appOf(document))?.guid;
    case 'packages': {
      const isUpload = first?.path.endsWith('/upload') || document?.['state'] === 'AWAITING_UPLOAD';
      const owner = document ?? findDocument(recording, guid, (one) => (one['package'] as Document | undefined)?.guid);
      return makePackage(fake, appOf(owner), isUpload ? 'AWAITING_UPLOAD' : 'READY').guid;
    }
    case 'droplets': {
      const inPath = /\/v3\/apps\/([^/]+)\//.exec(first?.path ?? '')?.[1];
      const owner = { relationships: { app: { data: { guid: inPath } } } };
      return makeDroplet(fake, appOf(document ?? (inPath === undefined ? first?.body : owner))).guid;
    }
    case 'service_instances':
      return named(world.services, document?.['name']) ?? makeService(fake, document, known).guid;
    case 'routes':
      return makeRoute(fake, document, known).guid;
    case 'service_plans':
      return named(world.plans, document?.['name']);
    case 'spaces':
      return named(world.spaces, document?.['name'] ?? 'main');
    case 'domains':
      return named(world.domains, document?.['name'] ?? 'sys.cf.example');
    case 'organizations':
      return named(world.orgs, document?.['name'] ?? 'globex');
    default:
      return undefined;
  }
}

/** By the path in which the guid stands, or by the field of the body. */
function kindOf(path: string, body: string, guid: string): string | undefined {
  if (/^0{8}/.test(guid)) return undefined;
  const inPath = new RegExp(`/v3/(\\w+)(?:/|\\?guids=[^&]*)${guid}`).exec(path)?.[1];
  if (inPath !== undefined) return inPath;
  const inQuery = new RegExp(`(\\w+)_guids=[^&]*${guid}`).exec(path)?.[1];
  const inBody = new RegExp(`"(\\w+)":\\{(?:"data":\\{)?"guid":"${guid}"`).exec(body)?.[1];
  const single = path.endsWith('/current_droplet') ? 'droplet' : (inQuery ?? inBody);
  return single === undefined ? undefined : `${single}s`;
}

/** What both have from the beginning, found by kind and name. */
export function knowSeeded({ world }: FakeCloudFoundry, recordings: readonly Recorded[], known: Replay): void {
  const seeded: Record<string, readonly (Thing & { name: string })[]> = {
    organizations: world.orgs,
    spaces: world.spaces,
    domains: world.domains,
    stacks: world.stacks,
    service_offerings: world.offerings,
    service_plans: world.plans,
    users: world.users.map((user) => ({ ...world.thing(user.guid), name: user.name })),
  };
  for (const { response } of recordings) {
    for (const document of documentsIn(response.body)) {
      const kind = /\/v3\/(\w+)\/[^/]+$/.exec(
        (document['links'] as { self?: { href?: string } } | undefined)?.self?.href ?? '',
      )?.[1];
      const here = seeded[kind ?? '']?.find(({ name }) => name === (document['name'] ?? document['username']));
      if (here) known.know(document.guid, here.guid);
    }
  }
}

function* documentsIn(value: unknown): Generator<Document> {
  if (typeof value !== 'object' || value === null) return;
  const one = value as Document;
  if (typeof one.guid === 'string' && 'links' in one) yield one;
  for (const member of Object.values(one)) yield* documentsIn(member);
}

function findDocument(
  recording: readonly Recorded[],
  guid: string,
  of: (document: Document) => string | undefined = (document) => document.guid,
): Document | undefined {
  for (const { response } of recording) {
    for (const document of documentsIn(response.body)) if (of(document) === guid) return document;
  }
  return undefined;
}

export function makeApp(fake: FakeCloudFoundry, document: Document | undefined, known: Replay): App {
  const { world } = fake;
  const wanted = (document?.['relationships'] as { space?: { data?: { guid?: string } } } | undefined)?.space?.data
    ?.guid;
  const space = world.spaces.find((one) => one.guid === known.guid(wanted ?? '')) ?? world.spaces[0];
  if (!space) throw new Error('the fake has no space');
  const name = typeof document?.['name'] === 'string' ? document['name'] : `app-${world.apps.length}`;
  const labels = (document?.['metadata'] as { labels?: Record<string, string> } | undefined)?.labels ?? {};
  const app: App = {
    ...world.thing(),
    name,
    state: 'STOPPED',
    space,
    lifecycle: { type: 'buildpack', data: { buildpacks: [], stack: 'cflinuxfs4' } },
    env: {},
    revisions: 0,
  };
  Object.assign(app.labels, labels);
  world.apps.push(app);
  world.processes.push(newProcess(world, app, app.guid));
  const droplet = (document?.['relationships'] as { current_droplet?: { data?: { guid?: string | null } } } | undefined)
    ?.current_droplet?.data?.guid;
  if (typeof droplet === 'string') {
    app.droplet = makeDroplet(fake, app);
    known.know(droplet, app.droplet.guid);
  }
  return app;
}

function makePackage({ world }: FakeCloudFoundry, app: App, state: Package['state']): Package {
  const made: Package = {
    ...world.thing(),
    app,
    type: 'bits',
    state,
    size: 0,
    ...(state === 'READY' ? { checksum: 'c'.repeat(64) } : {}),
  };
  world.packages.push(made);
  return made;
}

export function makeDroplet(fake: FakeCloudFoundry, app: App): Droplet {
  const { world } = fake;
  const made: Droplet = {
    ...world.thing(),
    app,
    package: makePackage(fake, app, 'READY'),
    state: 'STAGED',
    checksum: 'd'.repeat(64),
    buildpack: 'nodejs_buildpack',
    stack: 'cflinuxfs4',
    command: 'npm start',
  };
  world.droplets.push(made);
  return made;
}

export function makeService({ world }: FakeCloudFoundry, document: Document | undefined, known: Replay) {
  const plan = world.plans.find((one) => one.name === 'small');
  const wanted = (document?.['relationships'] as { space?: { data?: { guid?: string } } } | undefined)?.space?.data
    ?.guid;
  const space = world.spaces.find((one) => one.guid === known.guid(wanted ?? '')) ?? world.spaces[0];
  if (!plan || !space) throw new Error('the fake has no marketplace');
  const now = new Date();
  const last = { type: 'create', state: 'succeeded', description: '', created: now, updated: now };
  const name = String(document?.['name'] ?? 'db');
  const made = {
    ...world.thing(),
    type: 'managed' as const,
    name,
    space,
    plan,
    tags: [],
    parameters: {},
    credentials: {},
    last,
    dashboard: true,
    deleting: false,
  };
  world.services.push(made);
  return made;
}

export function makeRoute({ world }: FakeCloudFoundry, document: Document | undefined, known: Replay) {
  const [domain] = world.domains;
  const wanted = (document?.['relationships'] as { space?: { data?: { guid?: string } } } | undefined)?.space?.data
    ?.guid;
  const space = world.spaces.find((one) => one.guid === known.guid(wanted ?? '')) ?? world.spaces[0];
  if (!domain || !space) throw new Error('the fake has no domain');
  const made = {
    ...world.thing(),
    host: String(document?.['host'] ?? 'host'),
    path: '',
    domain,
    space,
    destinations: [],
  };
  world.routes.push(made);
  return made;
}
