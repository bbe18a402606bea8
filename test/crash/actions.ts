import { Readable } from 'node:stream';
import { artefactOf, formOf } from './artefact.js';
import {
  type AppBelief,
  acted,
  deployed,
  type EnvBelief,
  newestDeployed,
  newRow,
  type Row,
  rowsOf,
  SOMEHOW,
  set,
  undeployed,
  type VersionBelief,
} from './belief.js';
import { type Client, findByName, lookAtApp, lookAtEnv, nameOf, perform, type Result, XML } from './client.js';

/** Everything that a client does, each with what it may rely on afterwards. */

export async function createEnvironment(client: Client): Promise<void> {
  const { random, envs } = client;
  const name = nameOf(client, 'env');
  const platform = random.one(client.platforms);
  const description = `made as ${name}`;
  const nodes = '<paas_environment_node content_type="container" name="static"/>';
  const older = `<paas_application_manifest><paas_environment name="${name}" template="T" provider="${platform}"><description>${description}</description><paas_environment_template name="T" memory="64">${nodes}</paas_environment_template></paas_environment></paas_application_manifest>`;
  const newer = `<paas_manifest><paas_application><paas_environment name="${name}" provider="${platform}"><description>${description}</description></paas_environment><paas_configuration_template memory="64"><paas_node content_type="container" name="static"/></paas_configuration_template></paas_application></paas_manifest>`;
  const body = random.chance(0.5) ? older : newer;
  const result = await perform(client, name, 'POST', '/environment', { body, headers: XML });
  if (result.kind === 'refused') return;
  const envId = idOf(result, 'envId') ?? (await findByName(client, name, '/environment', 'environments'));
  if (envId !== undefined) {
    const isWhole = result.kind === 'done';
    const env = { envId, name, platform, description: new Set([description]), isWhole, mayBeGone: false };
    envs.push(env);
    await lookAtEnv(client, env, false);
  } else if (result.kind === 'done') client.history.violation(name, 'it was acknowledged and is not there');
}

export async function updateEnvironment(client: Client, env: EnvBelief): Promise<void> {
  const description = `changed by ${nameOf(client, 'change')}`;
  const body = `<m><paas_environment name="${env.name}"><description>${description}</description></paas_environment></m>`;
  const result = await perform(client, env.name, 'PUT', `/environment/${env.envId}`, { body, headers: XML });
  if (result.kind !== 'refused') set(env.description, [description], result.kind);
  if (result.kind === 'done') env.isWhole = true;
  await lookAtEnv(client, env, result.kind === 'maybe');
}

export async function deleteEnvironment(client: Client, env: EnvBelief): Promise<void> {
  const result = await perform(client, env.name, 'DELETE', `/environment/${env.envId}`);
  if (result.kind === 'refused') return;
  env.mayBeGone = true;
  const document = await lookAtEnv(client, env, true);
  if (document && result.kind === 'done') client.history.violation(env.name, 'it was deleted and is there');
}

export async function createApplication(client: Client): Promise<void> {
  const { random, apps } = client;
  const name = nameOf(client, 'app');
  const description = `made as ${name}`;
  const root = random.one(['paas_application_manifest', 'paas_manifest']);
  const body = `<${root} name="M"><paas_application name="${name}"><description>${description}</description></paas_application></${root}>`;
  const result = await perform(client, name, 'POST', '/app', { body, headers: XML });
  if (result.kind === 'refused') return;
  const appId = idOf(result, 'appId') ?? (await findByName(client, name, '/app', 'applications'));
  if (appId === undefined) {
    if (result.kind === 'done') client.history.violation(name, 'it was acknowledged and is not there');
    return;
  }
  const nothing = { versions: new Map(), mayBeGone: false, maybeVersions: [], maybeInstances: [] };
  const app: AppBelief = { appId, name, description: new Set([description]), ...nothing };
  apps.push(app);
  await lookAtApp(client, app, false);
}

export async function updateApplication(client: Client, app: AppBelief): Promise<void> {
  const description = `changed by ${nameOf(client, 'change')}`;
  const body = `<m><paas_application name="${app.name}"><description>${description}</description></paas_application></m>`;
  const result = await perform(client, app.name, 'PUT', `/app/${app.appId}`, { body, headers: XML });
  if (result.kind !== 'refused') set(app.description, [description], result.kind);
  await lookAtApp(client, app, result.kind === 'maybe');
}

export async function deleteApplication(client: Client, app: AppBelief): Promise<void> {
  const result = await perform(client, app.name, 'DELETE', `/app/${app.appId}`);
  if (result.kind === 'refused') return;
  app.mayBeGone = true;
  for (const row of rowsOf(app)) {
    undeployed(row, 'maybe');
    set(row.run, SOMEHOW, 'maybe');
    row.mayBeGone = true;
  }
  for (const version of app.versions.values()) version.mayBeGone = true;
  const document = await lookAtApp(client, app, true);
  if (document && result.kind === 'done') client.history.violation(app.name, 'it was deleted and is there');
}

export async function createVersion(client: Client, app: AppBelief): Promise<void> {
  const { random } = client;
  const name = nameOf(client, 'version');
  const { bytes, sha256 } = artefactOf(name, random.whole(500, client.largestArtefact));
  const descriptor = random.chance(0.5)
    ? `<m><paas_application><paas_application_version name="${name}" label="1"><paas_application_deployable name="site.zip" content_type="artifact"/></paas_application_version></paas_application></m>`
    : `<paas_manifest><paas_application><paas_version name="${name}" label="1"><paas_deployable name="site.zip" content_type="artifact"/></paas_version></paas_application></paas_manifest>`;
  const result = await perform(client, app.name, 'POST', `/app/${app.appId}/version`, formOf(descriptor, bytes));
  if (result.kind === 'refused') return;
  const versionId = idOf(result, 'versionId');
  if (versionId === undefined) app.maybeVersions.push({ name, sha256, word: name });
  else {
    const version = { versionId, name, sha256, word: name, instances: new Map(), mayBeGone: false };
    app.versions.set(versionId, version);
  }
  await lookAtApp(client, app, result.kind === 'maybe');
}

/** A connection that breaks in the middle of an upload: nothing comes of it. */
export async function breakUpload(client: Client, app: AppBelief): Promise<void> {
  const { headers, body } = formOf(
    '<m><paas_application_version name="broken"/></m>',
    artefactOf('broken', client.largestArtefact).bytes,
  );
  async function* half() {
    yield body.subarray(0, body.length / 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new Error('the client goes away');
  }
  const length = { 'Content-Length': String(body.length) };
  const request = { headers: { ...headers, ...length }, body: Readable.from(half()) };
  const { kind } = await client.speaker.send(app.name, 'POST', `/app/${app.appId}/version`, request);
  if (kind === 'done') client.history.violation(app.name, 'half of an artefact was taken');
  await lookAtApp(client, app, false);
}

export async function deleteVersion(client: Client, app: AppBelief, version: VersionBelief): Promise<void> {
  const result = await perform(client, app.name, 'DELETE', `/app/${app.appId}/version/${version.versionId}`);
  if (result.kind === 'refused') return;
  version.mayBeGone = true;
  for (const row of version.instances.values()) {
    undeployed(row, 'maybe');
    set(row.run, SOMEHOW, 'maybe');
    row.mayBeGone = true;
  }
  await lookAtApp(client, app, true);
  if (result.kind === 'done' && app.versions.has(version.versionId))
    client.history.violation(app.name, `version ${version.versionId} was deleted and is there`);
}

export async function createInstance(client: Client, app: AppBelief, version: VersionBelief): Promise<void> {
  const name = nameOf(client, 'instance');
  const { versionId } = version;
  const body = `<m><paas_application><paas_application_version><paas_application_version_instance name="${name}"/></paas_application_version></paas_application></m>`;
  const path = `/app/${app.appId}/version/${versionId}/instance`;
  const result = await perform(client, app.name, 'POST', path, { body, headers: XML });
  if (result.kind === 'refused') return;
  const instanceId = idOf(result, 'instanceId');
  if (instanceId === undefined) app.maybeInstances.push({ versionId, name });
  else version.instances.set(instanceId, newRow(versionId, instanceId, name));
  await lookAtApp(client, app, result.kind === 'maybe');
}

export async function deleteInstance(client: Client, app: AppBelief, row: Row): Promise<void> {
  const result = await perform(client, app.name, 'DELETE', pathOf(app, row));
  if (result.kind === 'refused') return;
  row.mayBeGone = true;
  undeployed(row, 'maybe');
  set(row.run, SOMEHOW, 'maybe');
  await lookAtApp(client, app, true);
  if (result.kind === 'done' && app.versions.get(row.versionId)?.instances.has(row.instanceId))
    client.history.violation(app.name, `instance ${row.versionId}.${row.instanceId} was deleted and is there`);
}

export async function deploy(client: Client, app: AppBelief, row: Row, env: EnvBelief): Promise<void> {
  const result = await perform(client, app.name, 'POST', `/environment/${env.envId}/action/deploy${pathOf(app, row)}`);
  if (result.kind !== 'refused') deployed(app, row, env.envId, result.kind);
  await lookAtApp(client, app, result.kind === 'maybe');
}

export async function undeploy(client: Client, app: AppBelief, row: Row): Promise<void> {
  const [envId] = row.place;
  const result = await perform(client, app.name, 'POST', `/environment/${envId}/action/undeploy${pathOf(app, row)}`);
  if (result.kind !== 'refused') {
    undeployed(row, result.kind);
    if (result.kind === 'maybe') set(row.run, SOMEHOW, 'maybe');
  }
  await lookAtApp(client, app, result.kind === 'maybe');
}

type Verb = 'start' | 'stop' | 'restart';

export async function act(client: Client, app: AppBelief, row: Row, verb: Verb): Promise<void> {
  const result = await perform(client, app.name, 'POST', `${pathOf(app, row)}/action/${verb}`);
  if (result.kind !== 'refused') acted([row], verb, result.kind);
  await lookAtApp(client, app, result.kind === 'maybe');
}

export async function scale(client: Client, app: AppBelief): Promise<void> {
  const { rows, certain } = newestDeployed(app);
  const count = client.random.whole(1, 3);
  const result = await perform(client, app.name, 'POST', `/app/${app.appId}/instances/${count}`);
  if (result.kind !== 'refused') for (const row of rows) set(row.processes, [count], certain ? result.kind : 'maybe');
  await lookAtApp(client, app, result.kind === 'maybe');
}

/** On everything that is deployed there. */
export async function actOnEnvironment(client: Client, env: EnvBelief, verb: Verb): Promise<void> {
  const rows = client.apps.flatMap(rowsOf).filter((row) => row.place.has(env.envId));
  const result = await perform(client, env.name, 'POST', `/environment/${env.envId}/action/${verb}`);
  if (result.kind !== 'refused') acted(rows, verb, result.kind);
  await lookAtEnv(client, env, result.kind === 'maybe');
}

/** Several requests about one instance at once: they queue, and are carried out in the order in which they were acknowledged. */
export async function burst(client: Client, app: AppBelief, row: Row): Promise<void> {
  const { random, speaker, tasks } = client;
  const verbs = Array.from({ length: random.whole(2, 4) }, () => random.one<Verb>(['start', 'stop', 'restart']));
  let sure = true;
  for (const verb of verbs) {
    const headers = { Prefer: 'respond-async' };
    const outcome = await speaker.send(app.name, 'POST', `${pathOf(app, row)}/action/${verb}`, { headers });
    const taskId = outcome.kind === 'done' ? Number(/\/task\/(\d+)$/.exec(outcome.location ?? '')?.[1]) : undefined;
    if (taskId === undefined) sure = false;
    else {
      tasks.add(taskId);
      client.count('acknowledged');
    }
    acted([row], verb, 'maybe');
  }
  await lookAtApp(client, app, true);
  const last = verbs.at(-1);
  const ends = await Promise.all([...tasks].slice(-verbs.length).map((taskId) => speaker.ended(app.name, taskId)));
  if (sure && last && ends.every((task) => task?.status === 'SUCCEEDED')) acted([row], last, 'done');
}

/** Reads what was stored, byte by byte. */
export async function download(client: Client, app: AppBelief, version: VersionBelief): Promise<void> {
  const path = `/artefact/${app.appId}/${version.versionId}/site.zip`;
  const outcome = await client.speaker.send(app.name, 'GET', path);
  if (outcome.kind !== 'done') return;
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update(outcome.bytes).digest('hex');
  if (sha256 !== version.sha256)
    client.history.violation(app.name, `version ${version.versionId} gave ${sha256} instead of ${version.sha256}`);
}

/** What belongs to another tenant does not exist. */
export async function trespass(client: Client, others: readonly Client[]): Promise<void> {
  const apps = others.filter((one) => one !== client).flatMap((one) => one.apps);
  if (apps.length === 0) return;
  const app = client.random.one(apps);
  const { kind } = await client.speaker.send(`${client.name} trespassing`, 'GET', `/app/${app.appId}`);
  if (kind === 'done') client.history.violation(app.name, `another tenant's ${client.name} reads it`);
}

function pathOf({ appId }: AppBelief, { versionId, instanceId }: Row): string {
  return `/app/${appId}/version/${versionId}/instance/${instanceId}`;
}

function idOf(result: Result, name: string): number | undefined {
  const id = result.kind === 'done' ? result.body[name] : undefined;
  return typeof id === 'number' ? id : undefined;
}
