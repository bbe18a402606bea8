import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { Fault } from '../../src/domain/errors.js';
import type { Instance } from '../../src/domain/model.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import {
  AT,
  application,
  artefact,
  BYTES,
  environment,
  instance,
  type Listening,
  listen,
  plainHandlers,
  task,
  version,
} from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ publicUrl: 'http://h' });
});
afterAll(() => service.close());

const handlers = plainHandlers();
const get = (path: string, headers: Record<string, string> = {}) => service.request(path, { headers });
const LINKS = /<Link .*?\/>/g;
/** Without the links, which have their own tests. */
const plain = (text: string) =>
  text.replace(LINKS, '').replace('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', '');

describe('An application', () => {
  test('stands as the readers of every generation expect it', async () => {
    const { text, headers } = await get('/app/21');
    expect(headers['content-type']).toBe('application/xml');
    expect(plain(text)).toBe(
      '<application appId="21" appName="PetClinic" status="STARTED" nbInstances="1" envId="1" multitenant="no" tenant="red" ' +
        `createdAt="${AT}"><description>Vets &amp; pets</description>` +
        '<uris>petclinic.example.org</uris><uris><uri>petclinic.example.org</uri></uris>' +
        `<version versionId="1" name="version1.0" label="1.0" createdAt="${AT}">` +
        '<deployable deployableName="petclinic.war" deployableType="artifact" artefact="petclinic.war" type="war" size="10" ' +
        `sha256="${'ab'.repeat(32)}"/>` +
        '<instance instanceId="1" instanceName="Instance1" state="started" processes="1" envId="1">' +
        '<uri>http://petclinic.example.org</uri></instance></version></application>',
    );
  });

  test('has its own id before every other id, and the state in capitals once', async () => {
    const { text } = await get('/app/21');
    expect(text.indexOf('appId="')).toBeLessThan(text.indexOf('envId="'));
    expect(text.match(/STARTED/g)).toHaveLength(1);
    expect(/<uris>([^<]*)<\/uris>/.exec(text)?.[1]).toBe('petclinic.example.org');
    expect(/<uri>([^<]*)<\/uri>/.exec(text)?.[1]).toBe('petclinic.example.org');
  });

  test('without anything deployed has neither address nor environment', async () => {
    const { envId: _, uri: __, ...rest } = instance;
    const versions = [{ ...version, instances: [{ ...rest, state: 'CREATED' as const }] }];
    const other = await listen({
      handlers: { ...handlers, describeApplication: () => ({ ...application, versions }) },
    });
    const { text } = await other.request('/app/21');
    expect(text).toMatch(/<application appId="21" appName="PetClinic" status="CREATED" nbInstances="1" multitenant=/);
    expect(text).not.toContain('<uris>');
    await other.close();
  });

  test.each<[string, Partial<Instance>[][], string, string]>([
    ['the newest deployed version decides', [[{ state: 'STARTED' }], [{ state: 'STOPPED' }]], 'STOPPED', '1'],
    ['a failed instance outweighs', [[{ state: 'STARTED' }, { state: 'FAILED' }]], 'FAILED', '2'],
    ['a moving instance outweighs a started one', [[{ state: 'STARTED' }, { state: 'DEPLOYING' }]], 'DEPLOYING', '2'],
  ])('tells its state: %s', async (_, states, status, count) => {
    const versions = states.map((instances, index) => ({
      ...version,
      versionId: index + 1,
      instances: instances.map((one, n) => ({ ...instance, versionId: index + 1, instanceId: n + 1, ...one })),
    }));
    const other = await listen({
      handlers: { ...handlers, describeApplication: () => ({ ...application, versions }) },
    });
    const { text } = await other.request('/app/21');
    expect(text).toContain(`status="${status}" nbInstances="${count}"`);
    await other.close();
  });
});

describe('The other documents', () => {
  test('an environment', async () => {
    expect(plain((await get('/environment/1')).text)).toBe(
      '<environment envId="1" envName="JavaWebEnv" envMemory="512" status="STARTED" platform="CF" tenant="red" ' +
        `createdAt="${AT}"><description>TomcatServerEnvironmentTemplate</description>` +
        '<configuration><entry key="container" value="tomcat"/><entry key="service" value="mysql"/></configuration></environment>',
    );
  });

  test('an instance, with the two forms of its address', async () => {
    expect(plain((await get('/app/21/version/1/instance/1')).text)).toBe(
      '<instance instanceId="1" instanceName="Instance1" state="STARTED" processes="1" envId="1" appId="21" versionId="1">' +
        '<uris>petclinic.example.org</uris><uris><uri>petclinic.example.org</uri></uris>' +
        '<uri>http://petclinic.example.org</uri></instance>',
    );
  });

  test('a task', async () => {
    expect(plain((await get('/task/7')).text)).toBe(
      `<task taskId="7" action="deployApplication" status="RUNNING" progress="40" startTime="${AT}" createdAt="${AT}" user="ada" ` +
        'appId="21" versionId="1" instanceId="1" envId="1">' +
        `<step name="upload" state="DONE" startTime="${AT}" endTime="${AT}"/></task>`,
    );
  });

  test('what a platform offers', async () => {
    expect(plain((await get('/environment/info')).text)).toBe(
      '<information platform="CF" adapter="plain"><container name="tomcat"><version>9</version><version>10</version></container></information>',
    );
  });

  test('the answer to a deletion', async () => {
    const { text, status } = await service.request('/app/21', { method: 'DELETE' });
    expect([status, plain(text)]).toEqual([
      200,
      '<operationResponse value="The application with ID 21 was deleted."/>',
    ]);
  });

  test('a location without the password in it', async () => {
    const deployables = [{ name: 'a', contentType: 'artifact' as const, location: 'https://me:secret@h/a.war?x=@' }];
    const other = await listen({
      handlers: { ...handlers, describeApplicationVersion: () => ({ ...version, deployables }) },
    });
    expect((await other.request('/app/21/version/1')).text).toContain('location="https://h/a.war?x=@"');
    await other.close();
  });
});

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
    const { text } = await other.request('/app?name=a%26b&page=2&pageSize=10');
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
    client.write(
      `GET /CF-api/rest/app HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from('ada:se:cr:et').toString('base64')}\r\n\r\n`,
    );
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

describe('What is created', () => {
  test('is told by 200 and Location', async () => {
    const body =
      '<a><paas_application name="A"/><paas_environment name="E"/><paas_version/><paas_version_instance name="I"/></a>';
    const created = async (path: string) => {
      const { status, headers } = await service.request(path, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/xml' },
      });
      return [status, headers.location];
    };
    expect(await created('/app')).toEqual([200, 'http://h/CF-api/rest/app/21']);
    expect(await created('/environment')).toEqual([200, 'http://h/CF-api/rest/environment/1']);
    expect(await created('/app/21/version')).toEqual([200, 'http://h/CF-api/rest/app/21/version/1']);
    expect(await created('/app/21/version/create')).toEqual([200, 'http://h/CF-api/rest/app/21/version/1']);
    expect(await created('/app/21/version/1/instance')).toEqual([
      200,
      'http://h/CF-api/rest/app/21/version/1/instance/1',
    ]);
    expect(await created('/app/21/start')).toEqual([200, undefined]);
    const user = await service.request('/user', {
      user: 'root:toor',
      method: 'POST',
      body: '<user name="é/x"/>',
      headers: { 'Content-Type': 'text/xml' },
    });
    expect(user.headers.location).toBe('http://h/CF-api/rest/user/%C3%A9%2Fx');
  });

  test('later is told by 202, the task and its Location', async () => {
    const answer = await service.request('/app/21/version/1/instance/1/action/start', {
      method: 'POST',
      headers: { Prefer: 'respond-async' },
    });
    expect([answer.status, answer.headers.location]).toEqual([202, 'http://h/CF-api/rest/task/7']);
    expect(answer.headers['content-type']).toBe('application/xml');
    expect(plain(answer.text)).toMatch(/^<task taskId="7"/);
  });

  test('as a key shows its secret once, and never in the list', async () => {
    const { text } = await service.request('/user/ada/key', { method: 'POST' });
    expect(text).toContain('secret="s"');
    const other = await listen({
      handlers: {
        ...handlers,
        findKeys: () => ({ items: [{ keyId: 'k', user: 'ada', createdAt: AT, secret: 'leak' }] }),
      },
    });
    expect((await other.request('/user/ada/key')).text).not.toContain('leak');
    await other.close();
  });
});

describe('A download', () => {
  const path = '/artefact/21/1/petclinic.war';
  const etag = `"${artefact.sha256}"`;
  async function part(headers: Record<string, string>) {
    const answer = await get(path, headers);
    return [answer.status, answer.text, answer.headers['content-range']];
  }

  test('is the bytes, with their tag', async () => {
    const answer = await get(path);
    expect([answer.status, answer.body.equals(BYTES)]).toEqual([200, true]);
    expect(answer.headers).toMatchObject({
      etag,
      'accept-ranges': 'bytes',
      'content-type': 'application/octet-stream',
      'content-length': '10',
      'content-disposition': `attachment; filename="petclinic.war"; filename*=UTF-8''petclinic.war`,
    });
  });

  test.each<[string, Record<string, string>, unknown[]]>([
    ['from a byte', { Range: 'bytes=4-' }, [206, '456789', 'bytes 4-9/10']],
    ['a part', { Range: 'bytes=0-0' }, [206, '0', 'bytes 0-0/10']],
    ['a part that goes beyond', { Range: 'bytes=8-99' }, [206, '89', 'bytes 8-9/10']],
    ['the last bytes', { Range: 'bytes=-3' }, [206, '789', 'bytes 7-9/10']],
    ['more last bytes than there are', { Range: 'bytes=-30' }, [206, '0123456789', 'bytes 0-9/10']],
    ['several parts: the whole', { Range: 'bytes=0-1,4-5' }, [200, '0123456789', undefined]],
    ['another unit: the whole', { Range: 'lines=1-2' }, [200, '0123456789', undefined]],
    ['a range backwards: the whole', { Range: 'bytes=5-2' }, [200, '0123456789', undefined]],
    ['of the same tag', { Range: 'bytes=4-', 'If-Range': etag }, [206, '456789', 'bytes 4-9/10']],
    ['of another tag: the whole', { Range: 'bytes=4-', 'If-Range': '"other"' }, [200, '0123456789', undefined]],
    ['of what the client has', { 'If-None-Match': etag }, [304, '', undefined]],
    ['of what it has, among others', { 'If-None-Match': `"x", W/${etag}` }, [304, '', undefined]],
  ])('gives %s', async (_, headers, expected) => {
    expect(await part(headers)).toEqual(expected);
  });

  test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('refuses %s, and tells the size', async (Range) => {
    const answer = await get(path, { Range });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */10']);
    expect(answer.text).toContain('code="RangeNotSatisfiable"');
  });

  test('of an unknown artefact is 404', async () => {
    expect((await get('/artefact/21/1/other.war')).status).toBe(404);
  });

  test('whose file breaks off does not look whole', async () => {
    const broken = () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('0123');
          throw new Error('The disk is gone');
        })(),
      );
    const other = await listen({ handlers: { ...handlers, downloadArtefact: () => ({ artefact, open: broken }) } });
    await expect(other.request(path)).rejects.toThrow();
    await other.close();
  });

  test('names a file of any script', async () => {
    const strange = { ...artefact, name: `a"ü'(1)\r\n.war` };
    const other = await listen({
      handlers: { ...handlers, downloadArtefact: () => ({ artefact: strange, open: () => Readable.from([BYTES]) }) },
    });
    expect((await other.request(path)).headers['content-disposition']).toBe(
      `attachment; filename="a__'(1)__.war"; filename*=UTF-8''a%22%C3%BC%27%281%29%0D%0A.war`,
    );
    await other.close();
  });
});

describe('Logs', () => {
  const path = '/app/21/version/1/instance/1/logs';

  test('are text as it comes, with the parameters that were asked for', async () => {
    const answer = await get(`${path}?lines=3`);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.text).toBe('one\n\u001b[31mlines=3\u001b[0m\n');
  });

  test('that follow begin before there is a line, and end when the client goes', async () => {
    const logs = new Readable({ read: () => undefined });
    const closed = new Promise((resolve) => logs.once('close', resolve));
    const other = await listen({
      handlers: {
        ...handlers,
        getInstanceLogs: (call) => {
          expect(call.query.follow).toBe(true);
          return logs;
        },
      },
    });
    const controller = new AbortController();
    const response = await fetch(`${other.base}${path}?follow=true`, {
      headers: { Authorization: `Basic ${Buffer.from('ada:se:cr:et').toString('base64')}` },
      signal: controller.signal,
    });
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    logs.push('a line\n');
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('a line\n');
    controller.abort();
    await closed;
    expect(logs.destroyed).toBe(true);
    await other.close();
  });
});

describe('A failure inside', () => {
  test('is a 500 that names only the request, and a line in the log', async () => {
    const other = await listen({
      handlers: {
        ...handlers,
        describeApplication: () => {
          throw new Error('password=hunter2 at /secret/path.ts:1');
        },
      },
    });
    const answer = await other.request('/app/21');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/hunter2|secret|\.ts/);
    expect(answer.text).toContain(`requestId="${answer.headers['x-request-id']}"`);
    expect(other.logged).toEqual([expect.objectContaining({ requestId: answer.headers['x-request-id'] })]);
    await other.close();
  });

  test('never holds the bare text of an id', async () => {
    const other = await listen({
      handlers: {
        ...handlers,
        describeApplication: () => {
          throw new Fault('Conflict', 'The platform says <x appId="1" envId="2">');
        },
      },
    });
    for (const headers of [{}, { Accept: 'application/json' }]) {
      const { text, status } = await other.request('/app/21', { headers });
      expect([status, text]).toEqual([409, expect.not.stringMatching(/(appId|envId)="/)]);
    }
    await other.close();
  });

  test('of a task stands in it', async () => {
    const failed = { ...task, state: 'FAILED' as const, error: { code: 'Conflict' as const, message: 'It is <busy>' } };
    const other = await listen({ handlers: { ...handlers, getTask: () => failed } });
    expect((await other.request('/task/7')).text).toContain('<error value="It is &lt;busy&gt;" code="Conflict"/>');
    await other.close();
  });
});

test('An environment whose name is markup stays a name', async () => {
  const other = await listen({
    handlers: { ...handlers, getEnvironment: () => ({ ...environment, name: '"/><x>&amp;\u0007' }) },
  });
  const { text, body } = await other.request('/environment/1');
  expect(text).toContain('envName="&quot;/&gt;&lt;x&gt;&amp;amp;\ufffd"');
  expect(readXmlTree(body).attributes.get('envName')).toBe('"/><x>&amp;\ufffd');
  await other.close();
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
