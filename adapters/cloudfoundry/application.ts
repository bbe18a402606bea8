import { AdapterError, type DeploymentKey, type DeploymentReport } from '../adapter.js';
import type { Foundry } from './client.js';
import { appName, carries, keyOf, LABELS, labelsOf, selector } from './names.js';
import { type App, type Process, type ProcessInstance, type Route, read } from './resources.js';
import { stateOf } from './states.js';

/** The app of a deployment: by its labels, never by its name or an earlier reference. */
export async function findApp(foundry: Foundry, key: DeploymentKey, signal: AbortSignal): Promise<App | undefined> {
  const { spaceGuid } = await foundry.target(signal);
  const wanted = labelsOf(key);
  const query = { space_guids: spaceGuid, label_selector: selector(wanted) };
  const found = await foundry.cc.list('/v3/apps', read.app, signal, { ...query, per_page: 50 });
  const ours = found.filter((app) => carries(app.metadata, wanted));
  // Somebody may have copied an app with its labels: ours is the one with the name that only we give.
  return ours.length > 1 ? ours.find((app) => app.name === appName(key)) : ours[0];
}

export async function requireApp(foundry: Foundry, key: DeploymentKey, signal: AbortSignal): Promise<App> {
  const app = await findApp(foundry, key, signal);
  if (!app)
    throw new AdapterError(
      'not-found',
      'Cloud Foundry has no such deployment: it was never made, or somebody deleted it.',
    );
  return app;
}

export function isDeployed(app: App): boolean {
  return typeof app.metadata[LABELS.version] === 'string';
}

/** The web processes of an app, the oldest first; while a rolling deployment runs there are two. */
export async function webProcesses({ cc }: Foundry, app: App, signal: AbortSignal): Promise<Process[]> {
  const query = { app_guids: app.guid, types: 'web', per_page: 50 };
  const all = await cc.list('/v3/processes', read.process, signal, query);
  return all.filter((process) => process.type === 'web').sort(byAge);
}

export async function instancesOf({ cc }: Foundry, process: Process, signal: AbortSignal): Promise<ProcessInstance[]> {
  return (await cc.get(`/v3/processes/${process.guid}/stats`, read.stats, signal)).resources;
}

/** Routes that carry the deployment's labels. */
export async function routesOf(foundry: Foundry, key: DeploymentKey, signal: AbortSignal): Promise<Route[]> {
  const { spaceGuid } = await foundry.target(signal);
  const wanted = labelsOf(key);
  const query = { space_guids: spaceGuid, label_selector: selector(wanted), per_page: 50 };
  const found = await foundry.cc.list('/v3/routes', read.route, signal, query);
  return found.filter((route) => carries(route.metadata, wanted));
}

/** What the platform says of a deployment now. */
export async function reportNow(foundry: Foundry, key: DeploymentKey, signal: AbortSignal): Promise<DeploymentReport> {
  const app = await requireApp(foundry, key, signal);
  const process = (await webProcesses(foundry, app, signal))[0];
  const [instances, routes] = await Promise.all([
    process ? instancesOf(foundry, process, signal) : [],
    routesOf(foundry, key, signal),
  ]);
  return reportOf(foundry, { app, instances, routes, ...(process ? { process } : {}) });
}

export interface Seen {
  app: App;
  process?: Process;
  instances?: readonly ProcessInstance[];
  routes: readonly Route[];
  crash?: string;
}

/** Throws when the app's labels are not ours: ask before. */
export function reportOf({ settings }: Foundry, { app, process, instances, routes, crash }: Seen): DeploymentReport {
  const key = keyOf(app.metadata, app.guid);
  if (!key) throw new AdapterError('conflict', `The app ${app.name} is not one of this gateway's.`);
  const wanted = process?.instances ?? 0;
  const { state, reason } = stateOf({
    wish: app.state,
    deployed: isDeployed(app),
    wanted,
    ...(instances ? { instances } : {}),
    ...(crash === undefined ? {} : { crash }),
  });
  const route = routes.find(({ destinations }) => destinations.some((one) => one.app.guid === app.guid));
  const version = Number(app.metadata[LABELS.version] ?? Number.NaN);
  return {
    key,
    ref: app.guid,
    state,
    processes: wanted,
    ...(Number.isInteger(version) ? { versionId: version } : {}),
    ...(route ? { uri: settings.routeUrl.replace('{host}', route.url) } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

function byAge(a: Process, b: Process): number {
  return a.created_at.localeCompare(b.created_at);
}
