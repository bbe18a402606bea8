import { readdirSync, utimesSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readSpec } from '../../src/conpaas/agent/spec.js';
import { openStore } from '../../src/store/open.js';
import { rowsOf } from './belief.js';
import { type Client, perform } from './client.js';
import { KILLS } from './history.js';
import { onCloudFoundry, onConpaas, onOpenShift } from './inventories.js';
import type { Scene } from './scene.js';
import { compareHoldings, type Stored } from './verdict.js';

/** Milliseconds that the end of processes and files may take. */
const END_LIMIT = 60_000;
const DAYS = 3;

/** While no gateway runs: what the platforms hold, and what lives and lies about on this machine, against the store. */
export async function checkPlatforms(
  scene: Scene,
  clients: readonly Client[],
  stored: readonly Stored[],
): Promise<void> {
  const { history } = scene;
  const store = await openStore({ url: scene.store });
  try {
    compareHoldings(scene, 'CF', stored, onCloudFoundry(scene), clients);
    compareHoldings(scene, 'OS', stored, onOpenShift(scene, store.installation), clients);
    compareHoldings(scene, 'CP', stored, await onConpaas(store), clients);
    const nodes = (await store.conpaas.nodes({})).map(({ nodeId }) => nodeId).sort();
    const services = (await store.conpaas.services({})).map(({ sid }) => String(sid)).sort();
    await eventuallySame(scene, 'folders of agents', nodes, () => onAllHosts(scene, 'agents'));
    await eventuallySame(scene, 'rooms of applications', nodes, () => onAllHosts(scene, 'apps'));
    await eventuallySame(scene, 'folders of services', services, () => onAllHosts(scene, 'services'));
    const strangers = await unknownProcesses(scene, nodes);
    if (strangers.length > 0) history.violation(KILLS, `processes that belong to nothing: ${strangers.join('; ')}`);
    const open = await store.operations.unfinished();
    for (const { taskId, action, state } of open) history.violation('tasks', `task ${taskId} (${action}) is ${state}`);
  } finally {
    await store.close();
  }
}

/** Takes everything away through the API, as its owners. */
export async function removeAll(scene: Scene, clients: readonly Client[]): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      for (const app of [...client.apps])
        await removed(client, app.name, `/app/${app.appId}`, `${rowsOf(app).length} instances`);
      for (const env of [...client.envs]) await removed(client, env.name, `/environment/${env.envId}`, env.platform);
    }),
  );
  const left = [...scene.cloudFoundry.fake.inventory(), ...scene.openShift.fake.inventory()];
  if (left.length > 0)
    scene.history.violation(KILLS, `after everything was deleted the platforms hold ${left.join(', ')}`);
}

async function removed(client: Client, subject: string, path: string, what: string): Promise<void> {
  const { kind } = await perform(client, subject, 'DELETE', path);
  if (kind !== 'done') client.history.violation(subject, `${path} (${what}) could not be deleted at the end`);
}

/** After everything was deleted, before the gateways end. */
export async function checkNothingRuns(scene: Scene): Promise<void> {
  const own = scene.gateways.flatMap((gateway) => gateway.pid() ?? []);
  await eventuallySame(scene, 'processes', own.map(String).sort(), () => scene.processes().map(String).sort());
  for (const folder of ['agents', 'apps', 'services'])
    await eventuallySame(scene, `conpaas/${folder}`, [], () => onAllHosts(scene, folder));
}

/** What dead uploads and deleted versions have left is swept at a start, once it is old enough. */
export async function checkNothingLies(scene: Scene, restart: () => Promise<void>): Promise<void> {
  const { hosts, temporary } = scene;
  const artefacts = join(hosts[0] ?? '', 'artefacts');
  const incoming = hosts.map((host) => join(host, 'conpaas', 'incoming'));
  const old = new Date(Date.now() - DAYS * 24 * 3600 * 1000);
  for (const folder of [artefacts, ...incoming])
    for (const file of filesBelow(folder)) utimesSync(join(folder, file), old, old);
  await restart();
  await eventuallySame(scene, 'artefacts', [], () => filesBelow(artefacts));
  await eventuallySame(scene, 'conpaas/incoming', [], () => incoming.flatMap(filesBelow));
  await eventuallySame(scene, 'temporary files', [], () => filesBelow(temporary));
}

/** What Node itself complains of: leaks, forgotten rejections, what is deprecated. */
export async function checkComplaints({ history, gateways, logs }: Scene): Promise<void> {
  for (const { name } of gateways) {
    const text = await readFile(join(logs, `${name}.log`), 'utf8');
    const [complaint] = /^.*(?:Warning: |UnhandledPromiseRejection|Uncaught ).*$/m.exec(text) ?? [];
    if (complaint) history.violation(KILLS, `gateway ${name} complained: ${complaint}`);
  }
}

async function eventuallySame(
  { history }: Scene,
  what: string,
  wanted: readonly string[],
  look: () => string[],
): Promise<void> {
  const limit = Date.now() + END_LIMIT;
  for (;;) {
    const found = look();
    if (found.join() === wanted.join()) return;
    if (Date.now() > limit) {
      const more = found.filter((one) => !wanted.includes(one));
      const less = wanted.filter((one) => !found.includes(one));
      return history.violation(
        KILLS,
        `${what}: too many ${more.join(', ') || 'none'}; missing ${less.join(', ') || 'none'}`,
      );
    }
    await wait(200);
  }
}

function onAllHosts({ hosts }: Scene, folder: string): string[] {
  return hosts.flatMap((host) => files(join(host, 'conpaas', folder))).sort();
}

function files(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((one) => !one.isDirectory())
      .map((one) => join(one.parentPath, one.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}

/** Agents carry their folder in their command line; what they started carries their mark, which stands in the agents' specs. */
async function unknownProcesses(scene: Scene, nodes: readonly string[]): Promise<string[]> {
  const folders = scene.hosts.map((host) => join(host, 'conpaas', 'agents'));
  const marks = await Promise.all(
    nodes.map(async (node) => {
      const specs = await Promise.all(folders.map((agents) => readSpec(join(agents, node))));
      return specs.find((spec) => spec !== undefined)?.mark ?? `no mark of ${node}`;
    }),
  );
  const unknown: string[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${name}/${file}`, 'latin1').catch(() => '')),
    );
    if (!`${command}${environment}`.includes(scene.directory)) continue;
    const isKnown = marks.some((mark) => environment?.includes(mark));
    if (!isKnown && Number(name) !== process.pid)
      unknown.push(`${name} ${command?.replaceAll('\0', ' ').slice(0, 200)}`);
  }
  return unknown;
}
