import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import type { Action } from '../../src/api/action.js';
import { TABLE } from '../../src/api/table.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import { type TestServices, until } from '../support/services.js';
import { siteForm } from '../support/world.js';
import { ADA, type Api, BOB, found, open, ROOT, type Stage, xml } from './kept-answers-stage.js';

type Write = { of: string; method?: string; body?: string; user?: string } | { platform: 'start' | 'stop' };
const DEPLOYED = '/environment/1/action';
const INSTANCE = '/app/1/version/1/instance/1';

const id = fc.integer({ min: 1, max: 4 });
const name = fc.stringMatching(/^[A-Z][a-z]{1,3}$/);
const each = fc.tuple(id, name);
const write: fc.Arbitrary<Write> = fc.oneof(
  name.map((named) => ({ of: '/app', body: `<m><paas_application name="${named}"/></m>` })),
  each.map(([app, named]) => ({
    ...{ of: `/app/${app}`, method: 'PUT' },
    body: `<m><paas_application name="${named}"/></m>`,
  })),
  fc
    .tuple(id, fc.constantFrom('yes', 'no'))
    .map(([app, shared]) => ({ of: `/app/${app}?multitenant=${shared}`, method: 'PUT', body: '<m/>' })),
  id.map((app) => ({ of: `/app/${app}/version` })),
  id.map((app) => ({
    of: `/app/${app}/version/1/instance`,
    body: '<m><paas_version_instance name="J"/></m>',
  })),
  fc.constant({ of: '/app/3', method: 'DELETE' }),
  name.map((named) => ({ of: '/environment', body: `<m><paas_environment name="${named}"/></m>` })),
  each.map(([env, text]) => ({
    ...{ of: `/environment/${env}`, method: 'PUT' },
    body: `<m><paas_environment name="E" description="${text}"/></m>`,
  })),
  fc.constant({ of: '/environment/2', method: 'DELETE' }),
  fc.constantFrom('deploy', 'undeploy').map((verb) => ({ of: `${DEPLOYED}/${verb}${INSTANCE}` })),
  fc.constantFrom('start', 'stop').map((verb) => ({ of: `${INSTANCE}/action/${verb}` })),
  fc.constantFrom('tenant="red"', 'tenant="blue"', 'role="admin"', 'role="user"').map((change) => ({
    ...{ of: change.startsWith('tenant') ? '/user/ada' : '/user/bob', method: 'PUT', user: ROOT },
    body: `<user ${change}/>`,
  })),
  fc.constantFrom('start' as const, 'stop' as const).map((platform) => ({ platform })),
);

async function carryOut(change: Write, api: Api, { services }: Stage): Promise<unknown> {
  if ('platform' in change) return await changeUnseen(change.platform, services);
  const { of, method = 'POST', body, user = ADA } = change;
  if (body !== undefined) return await api.request(of, xml(body, method, user));
  return await api.request(of, { method, user, ...(of.endsWith('/version') && siteForm()) });
}

/** What happens on the platform comes by the watcher. */
async function changeUnseen(verb: 'start' | 'stop', { platform, store, watcher }: TestServices): Promise<void> {
  const { signal } = new AbortController();
  const labels = { installation: store.installation, envId: 1, appId: 1, instanceId: 1 };
  if (!(await platform.find(labels, signal))) return;
  await platform[verb](labels, signal);
  await watcher.look('MEM');
}

const path = fc.oneof(
  fc.constantFrom('', '/app', '/app?name=A', '/app?pageSize=2', '/environment', '/environment/1/app', '/openapi.json'),
  fc
    .tuple(fc.constantFrom('/app/@', '/app/@/version', '/app/@/version/1', '/artefact/@/1', '/environment/@'), id)
    .map(([of, number]) => of.replace('@', String(number))),
  fc.constantFrom('/app/1/version/1/instances', INSTANCE, `${INSTANCE}/action/start`),
);
const read = fc.record({
  path,
  user: fc.constantFrom(ADA, BOB, ROOT),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
  accept: fc.constantFrom('application/xml', 'application/json'),
});
type Read = typeof read extends fc.Arbitrary<infer T> ? T : never;

const step = fc.record({
  write,
  second: fc.boolean(),
  beside: fc.array(read, { maxLength: 2 }),
  after: fc.array(read, { minLength: 2, maxLength: 4 }),
});

/** A long list is sent as it is made; kept, it has a length and a tag. */
async function ask(api: Api, { path: at, user, method, accept }: Read) {
  const answer = await api.request(at, { method, user, headers: { Accept: accept } });
  const {
    'transfer-encoding': _,
    'content-length': __,
    etag: ___,
    ...headers
  } = answer.headers as Record<string, string>;
  return answer.text.length > 15_000 ? { ...answer, headers } : answer;
}

let fences = 0;

/** Changes come in their order: a gateway that knows the last one of another knows all of them. It may take a second. */
async function caughtUp(near: Api, far: Api): Promise<void> {
  fences += 1;
  const fence = `fence ${fences}.`;
  await near.request('/environment/1', xml(`<m><paas_environment name="E" description="${fence}"/></m>`, 'PUT', ROOT));
  await until(async () => (await far.request('/environment/1', { user: ROOT })).text.includes(fence));
}

/** After each change, made at one of the gateways while others read, both tell what the store holds. */
async function staysTrue(stage: Stage, steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const { one, two, plain } = stage;
  for (const { write: change, second, beside, after } of steps) {
    const [near, far] = second ? [two, one] : [one, two];
    await Promise.all([carryOut(change, near, stage), ...beside.flatMap((some) => [ask(near, some), ask(far, some)])]);
    for (const some of after) {
      const expected = await ask(plain, some);
      for (let again = 0; again < 2; again++) expect(await ask(near, some)).toEqual(expected);
      await until(async () => isDeepStrictEqual(await ask(far, some), expected));
    }
    await caughtUp(near, far);
  }
}

type Aggregate = Record<string, (...args: unknown[]) => unknown>;

/** Tells of each call of an aggregate's methods, until it is undone. */
function watched(aggregate: Aggregate | undefined, tell: (method: string, first: unknown) => void): () => void {
  const methods = { ...aggregate };
  for (const [method, call] of Object.entries(methods)) {
    Object.assign(aggregate ?? {}, {
      [method]: (...args: unknown[]) => {
        tell(method, args[0]);
        return call(...args);
      },
    });
  }
  return () => void Object.assign(aggregate ?? {}, methods);
}

const missing = postgresMissing();
if (missing) test.skip(`kept answers on PostgreSQL: ${missing}`, () => {});

describe.each(missing ? ['SQLite'] : ['SQLite', 'PostgreSQL'])('answers that are kept, on %s', (kind) => {
  let server: PostgresServer | undefined;
  let stage: Stage & { close(): Promise<void> };

  beforeAll(async () => {
    if (kind === 'PostgreSQL') server = await startPostgres();
    stage = await open(await server?.createDatabase());
    await found(stage);
  });
  afterAll(async () => {
    await stage.close();
    await server?.stop();
  });

  test('say what the store says, whoever changes it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 20 }), (steps) => staysTrue(stage, steps)),
      { numRuns: 1, endOnFailure: true },
    );
    expect(stage.plain.events.filter(({ kept }) => kept)).toEqual([]);
  });

  test('read no more of the store than their rows declare', async () => {
    const { plain, services } = stage;
    const reads = new Set<string>();
    const { applications, environments, operations } = services.store as unknown as Record<string, Aggregate>;
    const restore = [
      watched(applications, (method, of) => reads.add(method === 'get' ? `application ${String(of)}` : 'applications')),
      watched(environments, () => reads.add('environments')),
      // Claims are the worker's.
      watched(operations, (method) => method !== 'claim' && reads.add(`operations.${method}`)),
    ];
    const rows = Object.entries(TABLE as Record<string, Action>).filter(([, row]) => row.shows !== undefined);
    expect(rows.length).toBeGreaterThan(10);
    for (const [key, row] of rows) {
      const declared = (row.shows ?? []).map((part): string => (part === 'application' ? 'application 1' : part));
      for (const user of [ADA, BOB, ROOT]) {
        for (const method of ['GET', 'HEAD']) {
          reads.clear();
          await plain.request(row.path === '/' ? '' : row.path.replace(/\{\w+\}/g, '1'), { method, user });
          // An application's own document is part of what a list of all shows.
          const more = [...reads].filter(
            (part) => !declared.includes(part) && !(part === 'application 1' && declared.includes('applications')),
          );
          expect({ key, user, method, more }).toEqual({ key, user, method, more: [] });
        }
      }
    }
    for (const undo of restore) undo();
  });

  test('are for the user, the role and the password that they were made for', async () => {
    const { one, two, services } = stage;
    const eve = 'eve:first-password';
    await services.users.create({ name: 'eve', password: 'first-password', role: 'user', tenant: 'green' });
    await one.request('/app', xml('<m><paas_application name="Secret"/></m>', 'POST', eve));
    const list = (api: Api, user: string) => api.request('/app', { user });
    const kept = async (api: Api, user: string) => {
      await until(async () => (await list(api, user)).status === 200 && api.events.at(-1)?.kept === true);
      return (await list(api, user)).text;
    };
    for (const api of [one, two]) {
      expect(await kept(api, eve)).toContain('Secret');
      expect(await kept(api, ADA)).not.toContain('Secret');
    }
    await services.users.create({ name: 'mallory', password: 'first-password', role: 'user', tenant: 'green' });
    await one.request('/user/eve', xml('<user role="admin"/>', 'PUT', ROOT));
    const users = (api: Api) => api.request('/user', { user: eve }).then(({ status }) => status);
    expect(await users(one)).toBe(200);
    await until(async () => (await users(two)) === 200);
    await one.request('/user/eve', xml('<user role="user"/>', 'PUT', ROOT));
    expect(await users(one)).toBe(403);
    await until(async () => (await users(two)) === 403);
    await one.request('/user/eve/password', xml('<user password="second-password"/>', 'PUT', eve));
    expect((await list(one, eve)).status).toBe(401);
    await until(async () => (await list(two, eve)).status === 401);
    await one.request('/user/mallory', { method: 'DELETE', user: ROOT });
    expect((await list(one, 'mallory:first-password')).status).toBe(401);
    expect((await list(one, 'eve:second-password')).status).toBe(200);
  });

  test('are not sent again to whom they are known, and not looked at with no-cache', async () => {
    const { one } = stage;
    const get = (headers: Record<string, string> = {}, method = 'GET') =>
      one.request('/openapi.json', { method, user: ADA, headers });
    await until(async () => {
      await get();
      return one.events.at(-1)?.kept === true;
    });
    const { headers, text } = await get();
    const { etag } = headers as { etag: string };
    expect(headers).toMatchObject({ 'cache-control': 'private, no-cache', vary: 'Accept, Authorization' });
    expect(await get({ 'If-None-Match': etag })).toMatchObject({ status: 304, text: '' });
    expect(one.events.at(-1)).toMatchObject({ kept: true, status: 304, user: 'ada', action: 'getOpenApi' });
    expect(await get({ 'If-None-Match': etag, 'Cache-Control': 'no-cache' })).toMatchObject({ status: 304, text: '' });
    expect(one.events.at(-1)?.kept).toBeUndefined();
    expect(await get({ 'If-None-Match': '"other"' })).toMatchObject({ status: 200, text });
    expect(await get({}, 'HEAD')).toMatchObject({ status: 200, text: '' });
    expect((await get({ Authorization: 'Basic bm9ib2R5Om5vdGhpbmc=' })).status).toBe(401);
  });
});
