import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeZip } from '../contract/archive.js';
import { eventually } from '../support/conditions.js';
import { type FakeOpenShift, type Seen, startFakeOpenShift } from '../support/openshift.js';
import { openStage, type Served, type Stage } from '../support/stage.js';

/**
 * The gateway's process dies whenever it has changed something on OpenShift, before it hears of it; the next one finishes the work, and
 * the cluster holds what the store says. That it may die before a change as well, the adapter's own tests show.
 */

const KILLED = join(import.meta.dirname, '../support/killed-gateway.mjs');

let fake: FakeOpenShift;
let stage: Stage;
let served: Served;
beforeAll(async () => {
  fake = await startFakeOpenShift({ second: 10 });
  stage = await openStage();
  const limits = { buildStartTimeout: 30, rolloutTimeout: 1200, deleteTimeout: 30 };
  const platforms = { OS: { adapter: 'openshift', server: fake.url, token: fake.token('alice'), ...limits } };
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
  const text = answer.status === 200 ? '' : answer.text;
  expect({ path, status: answer.status, text }).toEqual({ path, status: 200, text: '' });
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

/** What is there when an application is deployed once: one of each. Pods and replica sets come and go with it. */
const ONE = ['BuildConfig', 'Deployment', 'ImageStream', 'Route', 'Service'];
const OF_ENVIRONMENT = ['ConfigMap', 'Namespace', 'Secret'];
const kinds = (): string[] => {
  const all = fake.inventory().map((line) => line.split(' ')[0] ?? '');
  return all.filter((kind) => ![...OF_ENVIRONMENT, 'Build', 'Pod', 'ReplicaSet'].includes(kind));
};

interface Deed {
  /** Brings about what the deed begins from. */
  before(): Promise<unknown>;
  path: string;
  after: { inventory: string[]; version: number; state: string };
}

function deeds(appId: number, envId: number): Record<string, Deed> {
  const at = (version: number) => `/app/${appId}/version/${version}/instance/1`;
  const deploy = (version: number) => `/environment/${envId}/action/deploy${at(version)}`;
  const clear = async () => {
    for (const version of [1, 2]) {
      await served.request(`/environment/${envId}/action/undeploy${at(version)}`, { method: 'POST' });
    }
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
  const undeploy = `/environment/${envId}/action/undeploy${at(1)}`;
  return {
    deploy: { before: clear, path: deploy(1), after: { inventory: ONE, version: 1, state: 'STOPPED' } },
    start: { before: deployed, path: `${at(1)}/action/start`, after: { inventory: ONE, version: 1, state: 'STARTED' } },
    redeploy: { before: started, path: deploy(2), after: { inventory: ONE, version: 2, state: 'STARTED' } },
    undeploy: { before: started, path: undeploy, after: { inventory: [], version: 1, state: 'CREATED' } },
  };
}

const title = ({ method, path }: Seen): string => `${method} ${path.replace(/\/[^/]*a\d+-i\d+[^/]*$/, '/NAME')}`;

/** The changes that a deed makes which nobody disturbs. */
async function changesOf({ before, path }: Deed): Promise<string[]> {
  await before();
  const changes = new Set<string>();
  const stop = fake.onAnswer((seen) => {
    if (seen.method !== 'GET') changes.add(title(seen));
  });
  await send('POST', path);
  stop();
  return [...changes];
}

async function untilItsTaskEnded(): Promise<void> {
  await eventually(async () => {
    const { text } = await served.request('/task?pageSize=1&page=1');
    expect(text).toMatch(/<status>(SUCCEEDED|FAILED|CANCELLED)<\/status>/);
  }, 90);
}

test('whatever it was doing, the cluster holds afterwards exactly what the store says', async () => {
  const xml = { method: 'POST', headers: { 'Content-Type': 'application/xml' }, body: MANIFEST };
  const envId = Number(/envId="(\d+)"/.exec((await served.request('/environment', xml)).text)?.[1]);
  const appId = Number(/appId="(\d+)"/.exec((await served.request('/app', xml)).text)?.[1]);
  for (const word of ['one', 'two']) await send('POST', `/app/${appId}/action/deploy/env/${envId}`, await form(word));

  for (const [name, deed] of Object.entries(deeds(appId, envId))) {
    const changes = await changesOf(deed);
    expect({ name, many: changes.length > 0 }).toEqual({ name, many: true });
    for (const change of changes) {
      await deed.before();
      const { process: gateway } = served.child;
      const stop = fake.onAnswer((seen) => {
        if (title(seen) === change) gateway.kill('SIGKILL');
      });
      const respondAsync = { method: 'POST', headers: { Prefer: 'respond-async' } };
      const asked = served.request(deed.path, respondAsync).catch(() => undefined);
      expect({ name, change, ended: await served.child.exited }).toEqual({ name, change, ended: 'SIGKILL' });
      await asked;
      stop();
      served = await serve();
      await untilItsTaskEnded();
      const { inventory, version, state } = deed.after;
      const instance = `/app/${appId}/version/${version}/instance/1`;
      const { text } = await served.request(instance, { headers: { 'Cache-Control': 'no-cache' } });
      const task = (await served.request('/task?pageSize=1&page=1')).text;
      const seen = {
        task: /<status>(\w+)/.exec(task)?.[1],
        inventory: kinds(),
        state: /state="(\w+)"/.exec(text)?.[1],
      };
      expect({ name, change, ...seen }).toEqual({ name, change, task: 'SUCCEEDED', inventory, state });
    }
  }
  for (const version of [1, 2]) {
    await served.request(`/environment/${envId}/action/undeploy/app/${appId}/version/${version}/instance/1`, {
      method: 'POST',
    });
  }
  await send('DELETE', `/environment/${envId}`);
  expect(fake.inventory()).toEqual([]);
}, 1_200_000);
