import type { Method } from '../../src/api/action.js';
import { createLookup, filledPath } from '../../src/api/lookup.js';
import { TABLE } from '../../src/api/table.js';
import { relative } from '../../src/http/discovery.js';
import { type Listening, listen, plainHandlers } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen();
});
afterAll(() => service.close());

const KNOWN = { appId: 21, versionId: 1, instanceId: 1, envId: 1, taskId: 7, count: 2, name: 'ada', keyId: 'k1' };
const lookup = createLookup(TABLE);
const paths = lookup.routes.map((route): [string, ReadonlyMap<Method, string>] => [route.path, route.actions]);
const pathOf = (template: string) =>
  filledPath(template, template.startsWith('/artefact') ? { ...KNOWN, name: 'petclinic.war' } : KNOWN) as string;
const ROOT = 'root:toor';

interface HeadLink {
  url: string;
  rel: string;
  title: string;
  method: string;
}
/** Link headers as a client reads them: relative to the address that was asked. */
function linksOf(header: string | string[] | undefined, at: string): HeadLink[] {
  const text = [header ?? ''].flat().join(', ');
  return [...text.matchAll(/<([^>]*)>; rel="([^"]*)"; title="([^"]*)"; method="([^"]*)"/g)].map(
    ([, reference, rel, title, method]) => ({
      url: new URL(reference as string, at).pathname,
      rel: rel as string,
      title: title as string,
      method: method as string,
    }),
  );
}
const headersSize = (headers: object) =>
  Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, 0);

describe.each(paths)('%s', (template, actions) => {
  const methods = [...actions.keys()].join(', ');

  test('answers OPTIONS and any other method with what it knows', async () => {
    const options = await service.request(pathOf(template), { user: ROOT, method: 'OPTIONS' });
    expect([options.status, options.headers.allow, options.text]).toEqual([204, `${methods}, HEAD, OPTIONS`, '']);
    const other = (['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND'] as const).filter(
      (one) => !actions.has(one as Method),
    );
    for (const method of other) {
      const answer = await service.request(pathOf(template), { user: ROOT, method });
      expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, `${methods}, HEAD, OPTIONS`]);
      expect(answer.text).toContain('code="MethodNotAllowed"');
    }
  });

  test('answers HEAD without a body, with links that lead to known addresses by known methods', async () => {
    const url = service.base + pathOf(template);
    const head = await service.request(pathOf(template), { user: ROOT, method: 'HEAD' });
    expect([head.status, head.headers.allow, head.text]).toEqual([200, `${methods}, HEAD, OPTIONS`, '']);
    expect(headersSize(head.headers)).toBeLessThan(6 * 1024);
    const links = linksOf(head.headers.link, url);
    expect(new Set(links.map((link) => link.url)).size).toBe(links.length);
    for (const link of links) {
      const match = lookup.find(link.url.replace('/CF-api/rest', ''));
      const titles = link.title.split(' ');
      expect(link.method.split(' ').map((method) => match?.route.actions.get(method as Method))).toEqual(titles);
    }
  });

  test('is the same with a slash behind it', async () => {
    const [plain, slashed] = await Promise.all(
      ['', '/'].map((end) => service.request(pathOf(template) + end, { user: ROOT, method: 'HEAD' })),
    );
    expect([slashed?.status, slashed?.headers.allow]).toEqual([plain?.status, plain?.headers.allow]);
    const at = service.base + pathOf(template);
    expect(linksOf(slashed?.headers.link, `${at}/`)).toEqual(linksOf(plain?.headers.link, at));
  });

  test('is 404 by HEAD when what it names is not there', async () => {
    if (!/\{(appId|envId|versionId|instanceId|taskId)\}/.test(template)) return;
    const unknown = filledPath(template, {
      ...KNOWN,
      appId: 99,
      envId: 99,
      versionId: 99,
      instanceId: 99,
      taskId: 99,
    }) as string;
    const head = await service.request(unknown, { user: ROOT, method: 'HEAD' });
    expect([head.status, head.text]).toEqual([404, '']);
  });
});

describe('HEAD', () => {
  test('of the base names every address of the API that the caller may use', async () => {
    for (const [user, hidden] of [
      [ROOT, 0],
      ['ada:se:cr:et', paths.filter(([path]) => ['/user', '/user/{name}', '/audit'].includes(path)).length],
    ] as const) {
      const head = await service.request('', { user, method: 'HEAD' });
      const templates = String(head.headers['link-template']);
      const found = [...templates.matchAll(/"([^"]*)";method="([^"]*)"/g)].map(([, template, methods]) => ({
        path: decodeURI(new URL(template as string, service.base).pathname).replace('/CF-api/rest', ''),
        methods: (methods as string).split(' '),
      }));
      expect(found).toHaveLength(paths.length - hidden);
      for (const { path, methods } of found) {
        const actions = paths.find(([one]) => one === path)?.[1];
        expect([path, methods.every((method) => actions?.has(method as Method))]).toEqual([path, true]);
      }
    }
  });

  test('of a list never names its members', async () => {
    const head = await service.request('/app', { method: 'HEAD' });
    const titles = linksOf(head.headers.link, `${service.base}/app`).flatMap((link) => link.title.split(' '));
    expect(titles.sort()).toEqual(['createApplication', 'deleteApplications', 'describeService']);
  });

  test('names an action where it is allowed, and not where it is not', async () => {
    const titles = async (user: string) => {
      const head = await service.request('/app/21', { user, method: 'HEAD' });
      return linksOf(head.headers.link, `${service.base}/app/21`).flatMap((link) => link.title.split(' '));
    };
    expect(await titles('ada:se:cr:et')).toContain('deleteApplication');
    expect(await titles('bob:bob')).not.toContain('deleteApplication');
    expect(await titles('bob:bob')).toContain('findApplicationVersions');
  });

  test('is refused to a role that may do nothing there', async () => {
    expect((await service.request('/user', { method: 'HEAD' })).status).toBe(403);
    expect((await service.request('/audit', { method: 'HEAD' })).status).toBe(403);
    expect((await service.request('/user/ada/password', { method: 'HEAD' })).status).toBe(200);
  });

  test('stays below 6 KB with twenty environments and the largest ids', async () => {
    const large = 2 ** 31 - 1;
    const handlers = plainHandlers();
    const wide = await listen({
      handlers: {
        ...handlers,
        findEnvironments: () => ({
          items: Array.from({ length: 30 }, (_, n) => ({ envId: large - n }) as never),
        }),
        describeApplicationVersionInstance: () => ({
          appId: large,
          versionId: large,
          instanceId: large,
          name: 'I',
          state: 'CREATED',
          remarks: [],
          processes: 1,
        }),
        describeApplication: async () => ({
          ...(await handlers.describeApplication({ params: { appId: 21 } } as never)),
        }),
      },
    });
    const head = await wide.request(`/app/${large}/version/${large}/instance/${large}`, {
      user: 'root:toor',
      method: 'HEAD',
    });
    const deploys = linksOf(head.headers.link, wide.base).filter((link) => link.rel === 'deploy');
    expect(deploys).toHaveLength(20);
    expect(headersSize(head.headers)).toBeLessThan(6 * 1024);
    await wide.close();
  });

  test('of a download tells its length and tag', async () => {
    const { headers } = await service.request('/artefact/21/1/petclinic.war', { method: 'HEAD' });
    expect(headers).toMatchObject({ 'content-length': '10', etag: `"${'ab'.repeat(32)}"` });
  });
});

test('A relative reference leads back to where it was made from', () => {
  const urls = ['/a', '/a/', '/a/b', '/a/b/', '/a/b/c', '/', '/x/y', '/a/bc', '/a/b/c/d/'];
  for (const from of urls) {
    for (const to of urls) {
      expect([from, to, new URL(relative(from, to), `http://h${from}`).pathname]).toEqual([from, to, to]);
    }
  }
});

describe('The look-up', () => {
  test('finds literal paths before parameters', () => {
    expect(lookup.find('/app/delete')?.route.path).toBe('/app/delete');
    expect(lookup.find('/environment/info')?.route.path).toBe('/environment/info');
    expect(lookup.find('/app/1/version/create')?.route.path).toBe('/app/{appId}/version/create');
  });

  test.each(['0x1', '1.0', '-1', '+1', '01', '1e3', ' 1', '2147483648', '99999999999', '', '%31%32x', '١'])(
    'takes %j for no id',
    (id) => {
      expect(lookup.find(`/environment/${id}/start`)).toBeUndefined();
    },
  );

  test('takes ids below 2^31, and escapes in names', () => {
    expect(lookup.find('/app/2147483647')?.params).toEqual({ appId: 2147483647 });
    expect(lookup.find('/user/a%2Fb%20%C3%A9/key')?.params).toEqual({ name: 'a/b é' });
    expect(lookup.find('/app//')).toBeUndefined();
    expect(lookup.find('//app')).toBeUndefined();
  });

  test('refuses a table in which an address stands twice', () => {
    const row = { method: 'GET', path: '/a', roles: ['user'], response: 'service', summary: '' } as const;
    expect(() => createLookup({ one: row, two: row })).toThrow('GET /a stands twice');
  });
});
