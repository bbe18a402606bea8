import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Action } from '../../src/api/action.js';
import { filledPath, parameterNames } from '../../src/api/lookup.js';
import { openApi } from '../../src/api/openapi.js';
import { TABLE } from '../../src/api/table.js';
import { manifestRecord } from '../../src/representations/manifest-writer.js';
import { createAgreement, type OpenApi, recordOfXml } from '../support/agreement.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';
import { ADA, deployPath, type Ids, instancePath, openWorld, type World } from '../support/world.js';

const document = openApi(TABLE, { base: 'http://h/CF-api/rest', version: '0.1.0' }) as unknown as OpenApi;
const METHODS = ['get', 'post', 'put', 'delete'] as const;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method];
    return operation ? [{ path, method, operation, item }] : [];
  }),
);

describe('The OpenAPI document', () => {
  test('describes every address of every row, each action once under its key', () => {
    const expected = Object.values(TABLE as Record<string, Action>).flatMap(({ method, path, aliases = [] }) => [
      `${method} ${path}`,
      ...aliases,
    ]);
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(expected.sort());
    expect(operations.flatMap(({ operation }) => operation.operationId ?? []).sort()).toEqual(
      Object.keys(TABLE).sort(),
    );
  });

  test('declares every parameter of every path', () => {
    for (const { path, item } of operations) {
      expect((item.parameters ?? []).map(({ name }) => name)).toEqual(parameterNames(path));
    }
  });

  test('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      (found) => found[1] as string,
    );
    expect(references.length).toBeGreaterThan(100);
    for (const reference of references) {
      const target = reference
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      expect([reference, typeof target]).toEqual([reference, 'object']);
    }
  });

  test('holds schemas that JSON Schema 2020-12 can use', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const schema of Object.values(document.components.schemas)) expect(() => ajv.compile(schema)).not.toThrow();
  });
});

describe('Answers', () => {
  let gateway: TestGateway;
  let world: World;
  let ids: Ids;
  beforeAll(async () => {
    gateway = await startGateway({ platforms: { MEM: { adapter: 'memory' } } });
    world = await openWorld(gateway);
    ids = await world.started();
    await world.send('POST', '/user/ada/key', {
      body: '<key label="ci"/>',
      headers: { 'Content-Type': 'application/xml' },
    });
  });
  afterAll(() => gateway.close());

  const reads = (Object.entries(TABLE) as [string, Action][]).filter(([, { method }]) => method === 'GET');
  const filled = (path: string) =>
    filledPath(
      path,
      path.startsWith('/artefact') ? { ...ids, name: 'site.zip' } : { ...ids, taskId: 1, name: 'ada' },
    ) as string;

  test.each(reads)('of %s agree with it, in XML and in JSON, and say the same in both', async (_, { path }) => {
    const agree = createAgreement(document);
    const forms: unknown[] = [];
    for (const accept of ['application/xml', 'application/json']) {
      const { status, headers, text } = await gateway.request(filled(path), {
        user: ADMIN,
        headers: { Accept: accept },
      });
      const type = headers['content-type']?.split(';')[0] ?? '';
      expect(agree({ method: 'GET', route: path, status, type, body: text })).toEqual([]);
      expect(status).toBe(200);
      forms.push(type === 'application/xml' ? recordOfXml(text) : type === accept ? JSON.parse(text) : undefined);
    }
    const [xml, json] = forms;
    if (xml !== undefined && path !== '/audit') expect(steady(xml)).toEqual(steady(json));
  });

  test('to what changes things agree with it, with bodies in JSON', async () => {
    const agree = createAgreement(document);
    const say = async (method: string, route: string, values: Record<string, string | number> = {}, sent?: unknown) => {
      const { status, headers, text } = await gateway.request(filledPath(route, { ...ids, ...values }) as string, {
        user: route.startsWith('/user') ? ADMIN : ADA,
        method,
        headers: { Accept: 'application/json', ...(sent !== undefined && { 'Content-Type': 'application/json' }) },
        ...(sent !== undefined && { body: JSON.stringify(sent) }),
      });
      expect(
        agree({
          method,
          route,
          status,
          type: headers['content-type'] ?? '',
          body: text,
          ...(sent !== undefined && { sent }),
        }),
      ).toEqual([]);
      return { status, body: JSON.parse(text) };
    };
    const manifest = manifestRecord({
      name: 'M',
      application: {
        name: 'A',
        multitenant: true,
        versions: [
          {
            label: '1',
            deployables: [{ name: 'a.war', contentType: 'artifact' }],
            instances: [{ name: 'I', memory: 64, defaultInstance: true }],
          },
        ],
      },
      environment: {
        name: 'E',
        memory: 128,
        nodes: [{ name: 'static', contentType: 'container' }],
        variables: { A: 'b' },
      },
    });
    const app = await say('POST', '/app', {}, manifest);
    expect(app).toMatchObject({
      status: 200,
      body: { appName: 'A', multitenant: 'yes', nbInstances: 1, versions: [{ versionId: 1 }] },
    });
    const { appId } = app.body;
    const env = await say('POST', '/environment', {}, manifest);
    expect(env.body).toMatchObject({ envName: 'E', envMemory: 128, variables: [{ name: 'A', value: 'b' }] });
    await say('PUT', '/app/{appId}', { appId }, manifest);
    await say('PUT', '/environment/{envId}', { envId: env.body.envId }, manifest);
    await say('POST', '/app/{appId}/version', { appId }, manifest);
    await say('POST', '/app/{appId}/version/{versionId}/instance', { appId, versionId: 1 }, manifest);
    await say('POST', '/app/{appId}/stop');
    await say('POST', '/app/{appId}/version/{versionId}/instance/{instanceId}/action/start');
    await say('POST', '/app/{appId}/instances/{count}', { count: 2 });
    expect(await say('DELETE', '/environment/{envId}')).toMatchObject({
      status: 409,
      body: { code: 'Conflict', status: 409 },
    });
    expect(await say('GET', '/app/{appId}', { appId: 99 })).toMatchObject({ status: 404 });
    await say('POST', '/user', {}, { name: 'carl', password: 'long-enough-1', email: 'c@example.org' });
    await say('PUT', '/user/{name}', { name: 'carl' }, { firstName: 'Carl' });
    await say('PUT', '/user/{name}/password', { name: 'carl' }, { password: 'long-enough-2' });
    const { body } = await say('POST', '/user/{name}/key', { name: 'carl' }, { label: 'ci' });
    await say('DELETE', '/user/{name}/key/{keyId}', { name: 'carl', keyId: body.keyId });
    await say('DELETE', '/user/{name}', { name: 'carl' });
    await say('DELETE', '/app/{appId}/delete', { appId });
  });

  test('of 202 agree with it', async () => {
    const route = '/environment/{envId}/action/undeploy/app/{appId}/version/{versionId}/instance/{instanceId}';
    const { status, text } = await gateway.request(deployPath(ids, 'undeploy'), {
      user: ADA,
      method: 'POST',
      headers: { Prefer: 'respond-async', Accept: 'application/json' },
    });
    expect(status).toBe(202);
    expect(createAgreement(document)({ method: 'POST', route, status, type: 'application/json', body: text })).toEqual(
      [],
    );
    expect(instancePath(ids)).toContain(`/app/${JSON.parse(text).appId}/`);
  });

  test('that say more or less than it are told apart', () => {
    const agree = createAgreement(document);
    const seen = { method: 'DELETE', route: '/app/delete', status: 200, type: 'application/json' };
    expect(agree({ ...seen, body: '{"value":"x"}' })).toEqual([]);
    expect(agree({ ...seen, body: '{"value":"x","more":1}' })).not.toEqual([]);
    expect(agree({ ...seen, body: '{}' })).not.toEqual([]);
    expect(agree({ ...seen, status: 201, body: '{"value":"x"}' })).not.toEqual([]);
    expect(agree({ ...seen, type: 'text/html', body: 'x' })).not.toEqual([]);
    expect(agree({ ...seen, route: '/nothing', body: '{}' })).not.toEqual([]);
  });
});

/** Without the time at which the platform was last looked at, which differs between two requests. */
function steady(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member) => (key === 'observedAt' ? undefined : member)));
}
