import { connect } from 'node:net';
import { Fault } from '../../src/domain/errors.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import { BASIC, type Listening, listen, plain, plainHandlers } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ publicUrl: 'http://h' });
});
afterAll(() => service.close());

const handlers = plainHandlers();
const get = (path: string, headers: Record<string, string> = {}) => service.request(path, { headers });

describe('Lists', () => {
  test('of applications have bare tags, and the id before the name', async () => {
    expect(plain((await get('/app')).text)).toBe(
      '<applications><application><id>21</id><name>PetClinic</name><description/>' +
        '<uri>http://h/CF-api/rest/app/21</uri><status>STARTED</status></application></applications>',
    );
  });

  test.each([
    ['/environment', '<environments><environment><id>1</id><name>JavaWebEnv</name><description>'],
    ['/app/21/version', '<versions><version><id>1</id><name>version1.0</name><label>1.0</label>'],
    ['/app/21/version/1/instances', '<instances><instance><id>1</id><name>Instance1</name>'],
    ['/environment/1/app', '<instances><instance><id>1</id><name>Instance1</name>'],
    ['/task', '<tasks><task><id>7</id><name>deployApplication</name>'],
    [
      '/artefact/21/1',
      '<artefacts><artefact><name>petclinic.war</name><uri>http://h/CF-api/rest/artefact/21/1/petclinic.war</uri>',
    ],
    ['/user/ada/key', '<keys><key><id>k1</id><name/>'],
  ])('%s has the same form', async (path, beginning) => {
    expect(plain((await get(path)).text).startsWith(beginning)).toBe(true);
  });

  test('have a nextPage link when there is one, with the query that asked', async () => {
    const other = await listen({
      publicUrl: 'http://h',
      handlers: { ...handlers, findApplications: () => ({ items: [], nextPage: 3 }) },
    });
    const { text } = await other.request(
      `/app?name=a%26b&page=2&pageSize=10&Timestamp=${Math.floor(Date.now() / 1000)}`,
    );
    expect(text).toContain('rel="nextPage"');
    expect(text).toContain('href="http://h/CF-api/rest/app?name=a%26b&amp;pageSize=10&amp;page=3"');
    await other.close();
  });

  test('that are long come in pieces, all of them, in XML and JSON', async () => {
    const rows = Array.from({ length: 5000 }, (_, n) => ({
      appId: n + 1,
      name: `a${n}`,
      state: 'CREATED' as const,
      tenant: 'red',
    }));
    const other = await listen({ handlers: { ...handlers, findApplications: () => ({ items: rows }) } });
    const xml = await other.request('/app');
    expect(xml.headers['transfer-encoding']).toBe('chunked');
    expect(readXmlTree(xml.body).children.filter((child) => child.name === 'application')).toHaveLength(5000);
    const json = await other.request('/app', { headers: { Accept: 'application/json' } });
    expect(JSON.parse(json.text).applications).toHaveLength(5000);
    await other.close();
  });

  test('are taken from the store no faster than the client reads, and given back when it goes', async () => {
    let taken = 0;
    let returned: () => void = () => undefined;
    const given = new Promise<void>((resolve) => {
      returned = resolve;
    });
    async function* endless() {
      try {
        for (;;) {
          taken++;
          yield { appId: 21, name: 'x'.repeat(100), state: 'CREATED' as const, tenant: 'red' };
        }
      } finally {
        returned();
      }
    }
    const other = await listen({ handlers: { ...handlers, findApplications: () => ({ items: endless() }) } });
    const client = connect(other.port, '127.0.0.1').on('error', () => undefined);
    client.pause();
    client.write(`GET /CF-api/rest/app HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n\r\n`);
    const { promise, stop } = whenSteady(() => taken);
    await promise;
    stop();
    client.destroy();
    await given;
    expect(taken).toBeLessThan(200_000);
    await other.close();
  });

  test('that fail before their first rows are an error, and later are cut off', async () => {
    const failing = (after: number) =>
      async function* () {
        for (let n = 0; n < after; n++)
          yield { appId: n, name: 'x'.repeat(500), state: 'CREATED' as const, tenant: 'red' };
        throw new Fault('ServiceUnavailable', 'The store is gone.', { retryAfter: 2 });
      };
    const other = await listen({ handlers: { ...handlers, findApplications: () => ({ items: failing(3)() }) } });
    const answer = await other.request('/app');
    expect([answer.status, answer.headers['retry-after'], answer.text]).toEqual([
      503,
      '2',
      expect.stringContaining('code="ServiceUnavailable"'),
    ]);
    await other.close();
    const late = await listen({ handlers: { ...handlers, findApplications: () => ({ items: failing(3000)() }) } });
    await expect(late.request('/app')).rejects.toThrow();
    await late.close();
  });
});

/** Resolves when a number has stopped growing for a while: what feeds it waits. */
function whenSteady(value: () => number): { promise: Promise<void>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => {
    let last = -1;
    let same = 0;
    timer = setInterval(() => {
      same = value() === last && last > 0 ? same + 1 : 0;
      last = value();
      if (same >= 5) resolve();
    }, 20);
  });
  return { promise, stop: () => clearInterval(timer) };
}
