import { setTimeout as wait } from 'node:timers/promises';
import { rawRequest } from '../support/raw-request.js';
import { compareRuns } from './belief.js';
import { type Client, lookAtApp, lookAtEnv } from './client.js';
import type { Holdings } from './inventories.js';
import type { Random } from './random.js';
import { ADMIN, type Scene } from './scene.js';
import { type Json, type Speaker, speakerOf } from './speaker.js';

/** Milliseconds within which platforms have come to rest and the watcher has seen it, after everything is up again. */
const REST_LIMIT = 120_000;

export interface Stored {
  appId: number;
  versionId: number;
  instanceId: number;
  envId: number;
  state: string;
  processes: number;
  platform: string;
  uri: string | undefined;
  /** What its page says. */
  word: string;
  /** Of its application. */
  subject: string;
}

/** Milliseconds after which no gateway may show any more what another one has changed: ten times what is documented. */
const STALE_LIMIT = 10_000;

export function adminOf({ gateways, history }: Scene, random: Random, signal: AbortSignal): Speaker {
  return speakerOf({ user: ADMIN, gateways, random: random.fork('admin'), history, count: () => undefined, signal });
}

/** Everything that was acknowledged is there, nothing else is, and what may move has come to rest. */
export async function checkBeliefs(scene: Scene, clients: readonly Client[], admin: Speaker): Promise<void> {
  const { history } = scene;
  for (const client of clients) {
    for (const env of [...client.envs]) await lookAtEnv(client, env, true);
    for (const app of [...client.apps])
      if (await lookAtApp(client, app, true)) await untilAsBelieved(scene, client, app);
    for (const { path, name } of client.gone)
      if (await client.speaker.read(name, path)) history.violation(name, `${path} was deleted and is there`);
  }
  await checkStrangers(
    scene,
    admin,
    '/app',
    'applications',
    (client) => client.apps.map(({ appId }) => appId),
    clients,
  );
  await checkStrangers(
    scene,
    admin,
    '/environment',
    'environments',
    (client) => client.envs.map(({ envId }) => envId),
    clients,
  );
  await checkTasks(scene, clients, admin);
  for (const { appId, name } of clients.flatMap(({ apps }) => apps)) await checkKept(scene, `/rest/app/${appId}`, name);
}

/** No gateway keeps an answer that is not true any more. */
async function checkKept({ gateways, history }: Scene, path: string, name: string): Promise<void> {
  for (const gateway of gateways) {
    const look = async (headers: Record<string, string>) =>
      (await rawRequest(`${gateway.origin}${path}`, { user: ADMIN, headers })).text;
    for (const limit = Date.now() + STALE_LIMIT; ; await wait(200)) {
      const kept = await look({});
      if (kept === (await look({ 'Cache-Control': 'no-cache' }))) break;
      if (Date.now() < limit) continue;
      history.violation(name, `${path} is an old answer at ${gateway.name}: ${kept}`);
      break;
    }
  }
}

async function untilAsBelieved({ history }: Scene, { speaker }: Client, app: Client['apps'][number]): Promise<void> {
  const limit = Date.now() + REST_LIMIT;
  for (;;) {
    const document = (await speaker.read(app.name, `/app/${app.appId}`)) ?? {};
    const wrong = compareRuns(app, document);
    if (wrong.length === 0) return;
    if (Date.now() > limit) {
      for (const text of wrong) history.violation(app.name, text);
      return;
    }
    await wait(500);
  }
}

async function checkStrangers(
  { history }: Scene,
  admin: Speaker,
  path: string,
  list: string,
  own: (client: Client) => number[],
  clients: readonly Client[],
): Promise<void> {
  const answer = (await admin.read('strangers', path)) as Record<string, { id: number; name: string }[]>;
  const known = new Set(clients.flatMap(own));
  for (const { id, name } of answer[list] ?? [])
    if (!known.has(id)) history.violation(name, `${path}/${id} is there, and nobody made it or it was deleted`);
}

async function checkTasks({ history }: Scene, clients: readonly Client[], admin: Speaker): Promise<void> {
  const { tasks = [] } = (await admin.read('tasks', '/task')) as {
    tasks?: { id: number; status: string; name: string }[];
  };
  const states = new Map(tasks.map(({ id, status }) => [id, status]));
  for (const { id, status, name } of tasks)
    if (['PENDING', 'RUNNING'].includes(status)) history.violation('tasks', `task ${id} (${name}) is ${status}`);
  for (const client of clients)
    for (const taskId of client.tasks)
      if (!states.has(taskId)) history.violation(client.name, `task ${taskId} was acknowledged and is gone`);
}

/** What the store says is deployed. */
export async function storedDeployments(clients: readonly Client[]): Promise<Stored[]> {
  const found: Stored[] = [];
  for (const { apps, envs, speaker } of clients) {
    const platforms = new Map(envs.map(({ envId, platform }) => [envId, platform]));
    for (const app of apps) {
      const document = ((await speaker.read(app.name, `/app/${app.appId}`)) ?? {}) as {
        versions?: { versionId: number; instances?: (Json & Omit<Stored, 'versionId'>)[] }[];
      };
      for (const { versionId, instances = [] } of document.versions ?? [])
        for (const { instanceId, envId, state, processes, uri } of instances)
          if (envId !== undefined)
            found.push({
              ...{ appId: app.appId, versionId, instanceId, envId, processes, uri, subject: app.name },
              state: state.toUpperCase(),
              platform: platforms.get(envId) ?? 'unknown',
              word: app.versions.get(versionId)?.word ?? '',
            });
    }
  }
  return found;
}

/** The platform holds exactly what the store says: nothing is missing, nothing is left. */
export function compareHoldings(
  { history }: Scene,
  platform: string,
  stored: readonly Stored[],
  holdings: Holdings,
  clients: readonly Client[],
): void {
  const left = new Map(holdings.deployments);
  for (const one of stored.filter((each) => each.platform === platform)) {
    const key = `${one.appId}.${one.envId}.${one.instanceId}`;
    const held = left.get(key);
    left.delete(key);
    const what = `${platform} ${key}`;
    if (!held) {
      if (one.state !== 'FAILED')
        history.violation(one.subject, `${what} is ${one.state} in the store and not on the platform`);
      continue;
    }
    if (held.versionId !== one.versionId)
      history.violation(one.subject, `${what} runs version ${held.versionId}, the store says ${one.versionId}`);
    // FAILED tells how it goes, not what is wished.
    if (one.state !== 'FAILED' && (held.state !== one.state || held.processes !== one.processes))
      history.violation(
        one.subject,
        `${what} is ${held.state} with ${held.processes} processes, the store says ${one.state} with ${one.processes}`,
      );
  }
  for (const key of left.keys()) {
    const owner = clients.flatMap(({ apps }) => apps).find(({ appId }) => String(appId) === key.split('.')[0]);
    history.violation(owner?.name ?? ownerOf(clients, key), `${platform} holds ${key}, which the store does not know`);
  }
  if (holdings.environments === undefined) return;
  const wanted = clients.flatMap(({ envs }) => envs).filter((env) => env.platform === platform);
  for (const env of wanted)
    if (env.isWhole && !holdings.environments.includes(env.envId))
      history.violation(env.name, `${platform} has nothing for environment ${env.envId}`);
  for (const envId of holdings.environments)
    if (!wanted.some((env) => env.envId === envId))
      history.violation(`environment ${envId}`, `${platform} holds it, and it was deleted`);
}

/** Whose it was, when it is gone. */
function ownerOf(clients: readonly Client[], key: string): string {
  const path = `/app/${key.split('.')[0]}`;
  return clients.flatMap(({ gone }) => gone).find((one) => one.path === path)?.name ?? key;
}

/** What is started answers at its address with the page of its own version. */
export async function checkPages({ history, openShift }: Scene, stored: readonly Stored[]): Promise<number> {
  const started = stored.filter(({ state }) => state === 'STARTED');
  for (const { platform, uri, word, subject, versionId, instanceId } of started) {
    const text = await (platform === 'OS'
      ? openShift.fake.visit(uri).then((page) => page.text)
      : rawRequest(uri ?? '').then((page) => page.text)
    ).catch((error: Error) => error.message);
    if (!text.includes(`<h1>${word}</h1>`))
      history.violation(subject, `${uri} of ${versionId}.${instanceId} does not say ${word}: ${text.slice(0, 200)}`);
  }
  return started.length;
}
