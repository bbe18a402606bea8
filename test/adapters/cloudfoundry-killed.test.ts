import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeZip } from '../contract/archive.js';
import { type FakeCloudFoundry, startCloudFoundry } from '../support/cloudfoundry.js';
import { eventually } from '../support/conditions.js';
import { openStage, type Served, type Stage } from '../support/stage.js';

/**
 * The gateway's process dies whenever it has changed something on Cloud Foundry, before it hears of it; the next one finishes the work, and
 * nothing is there twice. That it may die at any other request as well, the adapter's own tests show.
 */

const KILLED = join(import.meta.dirname, '../support/killed-gateway.mjs');

let fake: FakeCloudFoundry;
let stage: Stage;
let served: Served;
beforeAll(async () => {
  fake = await startCloudFoundry({ pace: 0.0005 });
  stage = await openStage();
  const platforms = { CF: { adapter: 'cloudfoundry', ...fake.options({ pollInterval: 0.02 }) } };
  writeFileSync(join(stage.directory, 'coaps.yaml'), stringify({ platforms }));
  served = await serve();
}, 120_000);
afterAll(async () => {
  await stage?.close();
  await fake?.close();
});

const serve = () => stage.serve({}, { path: KILLED, args: [join(stage.directory, 'never')] });

async function send(method: string, path: string, body?: FormData): Promise<string> {
  const content = body === undefined ? undefined : new Response(body);
  const headers = content ? { 'Content-Type': content.headers.get('content-type') ?? '' } : {};
  const bytes = content ? Buffer.from(await content.arrayBuffer()) : undefined;
  const answer = await served.request(path, { method, headers, ...(bytes ? { body: bytes } : {}) });
  expect({ path, status: answer.status, text: answer.status === 200 ? '' : answer.text }).toEqual({
    path,
    status: 200,
    text: '',
  });
  return answer.text;
}

async function form(word: string): Promise<FormData> {
  const data = new FormData();
  data.set('file', new Blob([new Uint8Array(await makeZip({ 'index.html': word }))]), 'site.zip');
  return data;
}

const MANIFEST = `<paas_manifest name="M"><paas_application name="Shop" environement="E"><paas_application_version name="v1" label="1">
<paas_application_version_instance name="Instance1"/></paas_application_version></paas_application>
<paas_environment name="E" template="T"><paas_environment_template name="T"/></paas_environment></paas_manifest>`;

/** What is there when an application is deployed once: one of each. */
const ONE = ['app', 'droplet', 'package', 'route'];
const TWO = ['app', 'droplet', 'droplet', 'package', 'package', 'route'];
const kinds = () => fake.inventory().map((line) => line.split(' ')[0]);

interface Deed {
  /** Brings about what the deed begins from. */
  before(): Promise<unknown>;
  path: string;
  /** What there is afterwards, and how version `version`'s instance stands. */
  after: { inventory: string[]; version: number; state: string };
}

function deeds(appId: number, envId: number): Record<string, Deed> {
  const at = (version: number) => `/app/${appId}/version/${version}/instance/1`;
  const deploy = (version: number) => `/environment/${envId}/action/deploy${at(version)}`;
  const clear = async () => {
    for (const version of [1, 2])
      await served.request(`/environment/${envId}/action/undeploy${at(version)}`, { method: 'POST' });
    expect(kinds()).toEqual([]);
  };
  const deployed = async () => {
    await clear();
    await send('POST', deploy(1));
  };
  const started = async () => {
    await deployed();
    await send('POST', `${at(1)}/action/start`);
  };
  return {
    deploy: { before: clear, path: deploy(1), after: { inventory: ONE, version: 1, state: 'STOPPED' } },
    start: { before: deployed, path: `${at(1)}/action/start`, after: { inventory: ONE, version: 1, state: 'STARTED' } },
    redeploy: { before: started, path: deploy(2), after: { inventory: TWO, version: 2, state: 'STARTED' } },
    undeploy: {
      before: started,
      path: `/environment/${envId}/action/undeploy${at(1)}`,
      after: { inventory: [], version: 1, state: 'CREATED' },
    },
  };
}

const GUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The kinds of request by which a deed that nobody disturbs changes the platform. */
async function changesOf({ before, path }: Deed): Promise<string[]> {
  await before();
  const first = fake.requests.length;
  await send('POST', path);
  const lines = fake.requests.slice(first).filter((line) => !line.startsWith('GET'));
  return [...new Set(lines.map((line) => line.replace(GUID, 'GUID')))];
}

async function untilItsTaskEnded(): Promise<void> {
  await eventually(async () => {
    const { text } = await served.request('/task?pageSize=1&page=1');
    expect(text).toMatch(/<status>(SUCCEEDED|FAILED|CANCELLED)<\/status>/);
  }, 90);
}

test('whatever it was doing, the platform holds afterwards exactly what the store says', async () => {
  const xml = { method: 'POST', headers: { 'Content-Type': 'application/xml' }, body: MANIFEST };
  const envId = Number(/envId="(\d+)"/.exec((await served.request('/environment', xml)).text)?.[1]);
  const appId = Number(/appId="(\d+)"/.exec((await served.request('/app', xml)).text)?.[1]);
  for (const word of ['one', 'two']) await send('POST', `/app/${appId}/action/deploy/env/${envId}`, await form(word));

  for (const [name, deed] of Object.entries(deeds(appId, envId))) {
    const changes = await changesOf(deed);
    expect({ name, many: changes.length > 0 }).toEqual({ name, many: true });
    for (const change of changes) {
      await deed.before();
      const line = new RegExp(`^${change.replaceAll('GUID', '[0-9a-f-]{36}')}$`);
      fake.trouble.dieAt(line, () => served.child.process.kill('SIGKILL'));
      const asked = served
        .request(deed.path, { method: 'POST', headers: { Prefer: 'respond-async' } })
        .catch(() => undefined);
      expect({ name, change, ended: await served.child.exited }).toEqual({ name, change, ended: 'SIGKILL' });
      await asked;
      fake.trouble.clear();
      served = await serve();
      await untilItsTaskEnded();
      const { inventory, version, state } = deed.after;
      const { text } = await served.request(`/app/${appId}/version/${version}/instance/1`, {
        headers: { 'Cache-Control': 'no-cache' },
      });
      const task = (await served.request('/task?pageSize=1&page=1')).text;
      const seen = {
        task: /<status>(\w+)/.exec(task)?.[1],
        inventory: kinds(),
        state: /state="(\w+)"/.exec(text)?.[1],
      };
      expect({ name, change, ...seen }).toEqual({ name, change, task: 'SUCCEEDED', inventory, state });
    }
  }
}, 1_200_000);
