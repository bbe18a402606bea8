import { readXmlTree, type XmlElement } from '../../src/representations/xml-tree.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';
import { type RawRequest, rawRequest } from '../support/raw-request.js';
import { idIn, SITE, siteForm } from '../support/world.js';

/** A client that knows a service by its WADL alone: it finds methods by their ids, fills their templates and sends the types they name. */
interface WadlClient {
  ids: string[];
  /** `values` fill the template and the query; `content` is what the caller wants to say, in the first type that fits it. */
  call(
    id: string,
    values?: Record<string, string | number>,
    content?: string | Buffer,
  ): Promise<{ status: number; text: string }>;
}

const each = (element: XmlElement, name: string) => element.children.filter((child) => child.name === name);

function readWadl(text: string, user: string): WadlClient {
  const resources = readXmlTree(Buffer.from(text)).children.find((child) => child.name === 'resources') as XmlElement;
  const base = resources.attributes.get('base') ?? '';
  const methods = new Map<string, { name: string; path: string; types: string[]; query: string[] }>();
  for (const resource of each(resources, 'resource')) {
    for (const method of each(resource, 'method')) {
      const id = method.attributes.get('id');
      if (id === undefined) continue;
      const requests = each(method, 'request');
      methods.set(id, {
        name: method.attributes.get('name') ?? '',
        path: resource.attributes.get('path') ?? '',
        types: requests
          .flatMap((one) => each(one, 'representation'))
          .map((one) => one.attributes.get('mediaType') ?? ''),
        query: requests
          .flatMap((one) => each(one, 'param'))
          .filter((one) => one.attributes.get('style') === 'query')
          .map((one) => one.attributes.get('name') ?? ''),
      });
    }
  }
  return {
    ids: [...methods.keys()],
    async call(id, values = {}, content) {
      const method = methods.get(id);
      if (!method) throw new Error(`The WADL has no ${id}`);
      const url = new URL(
        method.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name]))),
        base,
      );
      for (const name of method.query) if (values[name] !== undefined) url.searchParams.set(name, String(values[name]));
      const request = content === undefined ? {} : requestOf(method.types, content);
      return await rawRequest(url.href, { user, method: method.name, ...request });
    },
  };
}

function requestOf(types: string[], content: string | Buffer): RawRequest {
  if (typeof content === 'string') {
    return { headers: { 'Content-Type': types.find((type) => type.endsWith('xml')) ?? '' }, body: content };
  }
  expect(types).toContain('multipart/form-data');
  return siteForm(content);
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ platforms: { MEM: { adapter: 'memory' } } });
});
afterAll(() => gateway.close());

test.each(['', '?version=2009'])('A client that knows only the WADL%s reaches every action', async (version) => {
  const { text } = await gateway.request(`/application.wadl${version}`);
  const client = readWadl(text, ADMIN);
  const done = new Set<string>();
  const call = async (id: string, values?: Record<string, string | number>, content?: string | Buffer) => {
    const answer = await client.call(id, values, content);
    expect([id, answer.status, answer.status === 200 ? '' : answer.text]).toEqual([id, 200, '']);
    done.add(id);
    return answer.text;
  };

  await call('describeService');
  await call('getWadl', { version: '2009' });
  await call('getOpenApi');
  await call('getInformation');
  const environment =
    '<m><paas_environment name="E"><paas_node content_type="container" name="static"/></paas_environment></m>';
  const envId = idIn(await call('createEnvironment', {}, environment), 'envId');
  await call('findEnvironments', { name: 'E', page: 1, pageSize: 5 });
  await call('getEnvironment', { envId });
  await call('updateEnvironment', { envId }, environment);

  const manifest = '<m><paas_application name="A"/></m>';
  const appId = idIn(await call('createApplication', { multitenant: 'no' }, manifest), 'appId');
  await call('findApplications', { name: 'A' });
  await call('describeApplication', { appId });
  await call('updateApplication', { appId }, manifest);
  const versionId = idIn(await call('createApplicationVersion', { appId }, SITE), 'versionId');
  await call('findApplicationVersions', { appId });
  await call('describeApplicationVersion', { appId, versionId });
  await call('findApplicationVersionArtefacts', { appId, versionId });
  await call('downloadArtefact', { appId, versionId, name: 'site.zip' });
  const instance = '<m><paas_version_instance name="I"/></m>';
  const instanceId = idIn(await call('createApplicationVersionInstance', { appId, versionId }, instance), 'instanceId');
  const ids = { appId, versionId, instanceId, envId };
  await call('findApplicationVersionInstances', ids);
  await call('describeApplicationVersionInstance', ids);

  await call('deployApplication', ids);
  await call('getDeployedApplicationVersionInstance', ids);
  await call('startApplicationVersionInstance', ids);
  await call('getInstanceLogs', { ...ids, lines: 5 });
  await call('restartApplicationVersionInstance', ids);
  await call('stopApplicationVersionInstance', ids);
  await call('undeployApplication', ids);
  await call('deployApplicationOnEnvironment', ids, SITE);
  await call('startApplication', ids);
  await call('scaleApplication', { ...ids, count: 2 });
  await call('restartApplication', ids);
  await call('stopApplication', ids);
  await call('startEnvironment', ids);
  await call('restartEnvironment', ids);
  await call('stopEnvironment', ids);
  await call('undeployApplicationFromEnvironment', ids);

  const taskId = Number(/<id>(\d+)<\/id>/.exec(await call('findTasks', { pageSize: 1, page: 1 }))?.[1]);
  await call('getTask', { taskId });
  await call('cancelTask', { taskId });
  await call('deleteApplicationVersionInstance', ids);
  await call('deleteApplicationVersion', ids);
  await call('deleteApplication', ids);
  await call('deleteApplications');
  await call('deleteEnvironment', ids);

  const name = version === '' ? 'eve' : 'eva';
  await call('createUser', {}, `<user name="${name}" password="long-enough-1"/>`);
  await call('findUsers');
  await call('describeUser', { name });
  await call('updateUser', { name }, '<user firstName="Eve"/>');
  await call('changePassword', { name }, '<password value="long-enough-2"/>');
  const keyId = /keyId="([^"]+)"/.exec(await call('createKey', { name }, '<key label="ci"/>'))?.[1] as string;
  await call('findKeys', { name });
  await call('deleteKey', { name, keyId });
  await call('deleteUser', { name });
  await call('findAuditEvents', { pageSize: 10 });

  expect([...done].sort()).toEqual(client.ids.sort());
});
