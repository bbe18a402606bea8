import type { Instance } from '../../src/domain/model.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import { type Listening, listen, plain, plainHandlers } from './service.js';
import { AT, application, environment, instance, version } from './values.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ publicUrl: 'http://h' });
});
afterAll(() => service.close());

const handlers = plainHandlers();
const get = (path: string, headers: Record<string, string> = {}) => service.request(path, { headers });

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

test('An environment whose name is markup stays a name', async () => {
  const other = await listen({
    handlers: { ...handlers, getEnvironment: () => ({ ...environment, name: '"/><x>&amp;\u0007' }) },
  });
  const { text, body } = await other.request('/environment/1');
  expect(text).toContain('envName="&quot;/&gt;&lt;x&gt;&amp;amp;\ufffd"');
  expect(readXmlTree(body).attributes.get('envName')).toBe('"/><x>&amp;\ufffd');
  await other.close();
});
