import { answerOf } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { type FakeCloudFoundry, startCloudFoundry } from '../support/cloudfoundry.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';

/** The whole gateway in front of the fake platform. */

let fake: FakeCloudFoundry;
let gateway: TestGateway;
beforeEach(async () => {
  fake = await startCloudFoundry({ runs: true });
  gateway = await startGateway({
    platforms: { CF: { adapter: 'cloudfoundry', ...fake.options({ pollInterval: 0.05 }) } },
  });
});
afterEach(async () => {
  await gateway?.close();
  await fake?.close();
});

const ENVIRONMENT = `<paas_manifest name="M"><paas_environment name="E" template="T"><paas_environment_template name="T" memory="128">
<paas_environment_node content_type="container" name="node" version=""/><paas_environment_node content_type="database" name="mysql" version=""/>
</paas_environment_template></paas_environment></paas_manifest>`;
const application = (
  name: string,
) => `<paas_manifest name="M"><paas_application name="${name}" environement="E"><paas_application_version name="v1" label="1">
<paas_application_deployable name="app.zip" content_type="artifact"/><paas_application_version_instance name="Instance1" initial_state="1" default_instance="true"/>
</paas_application_version></paas_application></paas_manifest>`;

async function send(method: string, path: string, body?: string | FormData): Promise<string> {
  const response = await fetch(gateway.base + path, {
    method,
    headers: {
      authorization: `Basic ${btoa(ADMIN)}`,
      ...(typeof body === 'string' ? { 'content-type': 'application/xml' } : {}),
    },
    ...(body === undefined ? {} : { body }),
  });
  const answer = await response.text();
  expect({ path, status: response.status, answer: response.status === 200 ? '' : answer }).toEqual({
    path,
    status: 200,
    answer: '',
  });
  return answer;
}

async function form(greeting: string): Promise<FormData> {
  const server = `require('http').createServer((q, r) => r.end('${greeting}')).listen(process.env.PORT)`;
  const archive = await makeZip({ 'package.json': '{"scripts":{"start":"node server.js"}}', 'server.js': server });
  const data = new FormData();
  data.set('file', new Blob([new Uint8Array(archive)]), 'app.zip');
  return data;
}

const idIn = (text: string, name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(text)?.[1]);
const uriIn = (text: string) => /<uri>(http[^<]+)<\/uri>/.exec(text)?.[1];

test('the usage scenario ends in an HTTP answer, and leaves nothing', async () => {
  const envId = idIn(await send('POST', '/environment', ENVIRONMENT), 'envId');
  const appId = idIn(await send('POST', '/app', application('Pet Clinic')), 'appId');
  await send('POST', `/app/${appId}/action/deploy/env/${envId}`, await form('hello from version 1'));
  const started = await send('POST', `/app/${appId}/start`);
  const uri = uriIn(started);
  expect(uri).toMatch(/pet-clinic\.apps\.cf\.example/);
  expect(await answerOf(uri)).toBe('hello from version 1');
  await send('POST', `/app/${appId}/action/deploy/env/${envId}`, await form('hello from version 2'));
  expect(await answerOf(uri)).toBe('hello from version 2');
  expect(fake.inventory()).toContainEqual(expect.stringMatching(/^service coaps-\w{8}-1-mysql$/));
  await send('POST', `/app/${appId}/stop`);
  await send('POST', `/app/${appId}/action/undeploy/env/${envId}`);
  await send('DELETE', `/app/${appId}`);
  await send('DELETE', `/environment/${envId}`);
  expect(fake.inventory()).toEqual([]);
});

test('what somebody does behind the gateway’s back is what it shows', async () => {
  const envId = idIn(
    await send('POST', '/environment', ENVIRONMENT.replace(/<paas_environment_node content_type="database"[^>]*>/, '')),
    'envId',
  );
  const appId = idIn(await send('POST', '/app', application('Shop')), 'appId');
  await send('POST', `/app/${appId}/action/deploy/env/${envId}`, await form('hello'));
  await send('POST', `/app/${appId}/start`);
  for (const app of fake.world.apps) fake.cells.wish(app, 'STOPPED', false);
  for (const app of fake.world.apps) fake.cells.halt(app);
  const instance = await gateway.request(`/app/${appId}/version/1/instance/1`, {
    headers: { 'Cache-Control': 'no-cache' },
  });
  expect(instance.text).toContain('state="STOPPED"');
});

test('200 deployments at once: none is lost or doubled, and the log-in happens once', async () => {
  const envId = idIn(
    await send('POST', '/environment', ENVIRONMENT.replace(/<paas_environment_node content_type="database"[^>]*>/, '')),
    'envId',
  );
  const apps = await Promise.all(
    Array.from({ length: 200 }, async () => idIn(await send('POST', '/app', application('Shop')), 'appId')),
  );
  const data = await form('hello');
  const answers = await Promise.all(
    apps.map((appId) => send('POST', `/app/${appId}/action/deploy/env/${envId}`, data)),
  );
  expect(new Set(answers.map(uriIn)).size).toBe(200);
  const kinds = fake.inventory().map((line) => line.split(' ')[0]);
  for (const kind of ['app', 'package', 'droplet', 'route'])
    expect([kind, kinds.filter((one) => one === kind).length]).toEqual([kind, 200]);
  expect(fake.uaa.grants).toEqual(['password']);
}, 300_000);
