import { INSTANCE_STATES, type InstanceState } from '../../src/domain/states.js';
import { readXmlTree, type XmlElement } from '../../src/representations/xml-tree.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';
import { ADA, BOB, openWorld, type World } from '../support/world.js';
import { type Listening, listen, plainHandlers } from './service.js';
import { application, environment, instance, task } from './values.js';

/** Which verb a relationship implies (§7; api.md §4). */
const VERBS: Record<string, string> = {
  ...Object.fromEntries(['up', 'down', 'alternate', 'nextPage', 'logs', 'task'].map((rel) => [rel, 'GET'])),
  ...Object.fromEntries(
    ['add', 'start', 'stop', 'restart', 'deploy', 'undeploy', 'cancel'].map((rel) => [rel, 'POST']),
  ),
  edit: 'PUT',
  remove: 'DELETE',
};
const OBJECTS = ['up', 'down', 'alternate', 'nextPage'];

interface FoundLink {
  rel: string;
  href: string;
  type: string | undefined;
  name: string | undefined;
}
function linksIn(element: XmlElement): FoundLink[] {
  return element.children
    .filter((child) => child.name === 'Link')
    .map(({ attributes }) => ({
      rel: attributes.get('rel') ?? '',
      href: attributes.get('href') ?? '',
      type: attributes.get('type'),
      name: attributes.get('name'),
    }));
}
const rels = (links: FoundLink[]) => [...new Set(links.map((link) => link.rel))].sort();

describe('By the state', () => {
  let shown: InstanceState = 'CREATED';
  let service: Listening;
  beforeAll(async () => {
    const handlers = plainHandlers();
    const now = () => ({ ...instance, state: shown, ...(shown === 'CREATED' && { envId: undefined as never }) });
    service = await listen({
      handlers: {
        ...handlers,
        describeApplicationVersionInstance: now,
        describeApplication: () => ({
          ...application,
          versions: [{ ...(application.versions[0] as never as object), instances: [now()] } as never],
        }),
        getEnvironment: () => ({ ...environment, state: shown }),
        getTask: ({ params }) => ({ ...task, state: params.taskId === 7 ? 'RUNNING' : 'SUCCEEDED' }),
      },
    });
  });
  afterAll(() => service.close());

  const actions = async (path: string) => {
    const { body } = await service.request(path);
    return rels(
      linksIn(readXmlTree(body)).filter((link) => !['up', 'down', 'alternate', 'edit', 'add'].includes(link.rel)),
    );
  };
  const EXPECTED: Record<InstanceState, string[]> = {
    CREATED: ['deploy', 'remove'],
    DEPLOYING: ['logs', 'remove', 'undeploy'],
    STOPPED: ['deploy', 'logs', 'remove', 'restart', 'start', 'stop', 'undeploy'],
    STARTING: ['logs', 'remove', 'stop', 'undeploy'],
    STARTED: ['deploy', 'logs', 'remove', 'restart', 'start', 'stop', 'undeploy'],
    STOPPING: ['logs', 'remove', 'undeploy'],
    UNDEPLOYING: ['logs', 'remove', 'undeploy'],
    FAILED: ['deploy', 'logs', 'remove', 'restart', 'start', 'stop', 'undeploy'],
  };

  test.each(INSTANCE_STATES)('an instance that is %s has the links of what is legal', async (state) => {
    shown = state;
    expect(await actions('/app/21/version/1/instance/1')).toEqual(EXPECTED[state]);
  });

  test.each(INSTANCE_STATES)('an application and an environment that are %s have theirs', async (state) => {
    shown = state;
    const own = EXPECTED[state].filter((rel) => !['deploy', 'logs'].includes(rel));
    expect(await actions('/app/21')).toEqual(own);
    const environmental = own.filter((rel) => rel !== 'undeploy' && rel !== 'remove');
    expect(await actions('/environment/1')).toEqual(state === 'CREATED' ? ['remove'] : environmental);
  });

  test('a task can be cancelled until it has ended', async () => {
    expect(await actions('/task/7')).toEqual(['cancel']);
    expect(await actions('/task/8')).toEqual([]);
  });
});

test('An instance whose first deploy failed can be deployed, and nothing else', async () => {
  const { envId: _, uri: __, ...rest } = instance;
  const handlers = plainHandlers();
  const service = await listen({
    handlers: { ...handlers, describeApplicationVersionInstance: () => ({ ...rest, state: 'FAILED' }) },
  });
  const { body } = await service.request('/app/21/version/1/instance/1');
  expect(rels(linksIn(readXmlTree(body)))).toEqual(['deploy', 'remove', 'up']);
  await service.close();
});

test('What no platform can do is not offered', async () => {
  const service = await listen({ capabilities: () => ({ scale: false, logs: false }) });
  const { text } = await service.request('/app/21/version/1/instance/1');
  expect(text).not.toContain('rel="logs"');
  await service.close();
});

describe('On a gateway', () => {
  let gateway: TestGateway;
  let world: World;
  beforeAll(async () => {
    gateway = await startGateway({ platforms: { MEM: { adapter: 'memory' } } });
    world = await openWorld(gateway);
  });
  afterAll(() => gateway.close());

  /** Follows every link by its verb, as far as reading goes, and asks of every other one whether it is known by its verb. */
  async function crawl(user: string): Promise<Map<string, FoundLink[]>> {
    const seen = new Map<string, FoundLink[]>();
    const waiting = [gateway.base];
    for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
      if (seen.has(url)) continue;
      const { status, headers, body } = await gateway.request(url, { user });
      expect([url, status]).toEqual([url, 200]);
      if (headers['content-type'] !== 'application/xml') {
        seen.set(url, []);
        continue;
      }
      const root = readXmlTree(body);
      const links = [root, ...root.children].flatMap(linksIn);
      seen.set(url, links);
      for (const { rel, href } of links) {
        const verb = VERBS[rel];
        if (verb === 'GET') waiting.push(href);
        const { headers: known } = await gateway.request(href, { user, method: 'OPTIONS' });
        expect([href, rel, known.allow?.split(', ')]).toEqual([href, rel, expect.arrayContaining([verb])]);
      }
    }
    return seen;
  }

  test('every link leads somewhere by the verb that its relationship implies, from the base to everything', async () => {
    const ids = await world.started();
    await world.send('POST', '/user/ada/key');
    for (const user of [ADMIN, ADA]) {
      const seen = await crawl(user);
      const paths = [...seen.keys()].map((url) => url.slice(gateway.base.length));
      expect(paths).toEqual(
        expect.arrayContaining([
          ...[
            '/app',
            '/environment',
            '/environment/info',
            '/task',
            '/application.wadl',
            '/openapi.json',
            `/app/${ids.appId}`,
          ],
          ...[
            `/app/${ids.appId}/version/1/instance/1/logs`,
            `/artefact/${ids.appId}/1/site.zip`,
            `/environment/${ids.envId}/app`,
          ],
          ...(user === ADMIN ? ['/user', '/user/bob', '/user/bob/key', '/audit'] : ['/user/ada/key']),
        ]),
      );
      if (user === ADA) expect(paths).not.toContain('/user');
      for (const { rel, type, name } of [...seen.values()].flat()) {
        if (OBJECTS.includes(rel))
          expect([rel, type]).toEqual([
            rel,
            expect.stringMatching(/^application\/(jpaas\.\w+\+xml|vnd\.sun\.wadl\+xml|json)$/),
          ]);
        else expect([rel, type, name]).toEqual([rel, undefined, undefined]);
      }
    }
  });

  test('an application of all tenants has for the others what they may do, and it works', async () => {
    const ids = await world.application();
    await world.send('PUT', `/app/${ids.appId}`, {
      headers: { 'Content-Type': 'application/xml' },
      body: '<m><paas_application name="Shared" multitenant="yes"/></m>',
    });
    const path = `/app/${ids.appId}/version/1/instance/1`;
    const asBob = async (at: string, method = 'GET', body?: string) => {
      const answer = await gateway.request(at, {
        user: BOB,
        method,
        ...(body && { body, headers: { 'Content-Type': 'application/xml' } }),
      });
      expect([at, method, answer.status]).toEqual([at, method, 200]);
      return answer;
    };
    const environments = await asBob(
      '/environment',
      'POST',
      '<m><paas_environment name="Bobs"><paas_node content_type="container" name="static"/></paas_environment></m>',
    );
    expect(environments.status).toBe(200);
    const of = async (at: string) => linksIn(readXmlTree((await asBob(at)).body));
    expect(rels(await of(`/app/${ids.appId}`))).toEqual(['down', 'up']);
    expect(rels(await of(`/app/${ids.appId}/version/1`))).toEqual(['down', 'up']);
    const deploys = await of(path);
    expect(rels(deploys)).toEqual(['deploy', 'up']);
    await asBob(deploys.find((link) => link.rel === 'deploy')?.href ?? '', 'POST');
    // What runs on bob's environment is in bob's hands, and in ada's.
    const running = await of(path);
    expect(rels(running)).toEqual(['deploy', 'logs', 'restart', 'start', 'stop', 'undeploy', 'up']);
    for (const rel of ['start', 'logs', 'stop', 'undeploy']) {
      await asBob(running.find((link) => link.rel === rel)?.href ?? '', VERBS[rel]);
    }
  });
});
