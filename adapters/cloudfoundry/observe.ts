import type { AdapterCall, DeploymentReport } from '../adapter.js';
import { reportOf } from './application.js';
import type { Foundry } from './client.js';
import { CODES, hasCode, hasStatus } from './errors.js';
import { keyOf, LABELS, selector } from './names.js';
import { type App, type Crash, type Process, type ProcessInstance, type Route, read } from './resources.js';

export interface Observer {
  observe(call: AdapterCall): Promise<DeploymentReport[]>;
}

/** How many suspects are looked at one by one where the platform does not tell all processes' states in one answer. */
const SUSPECTS = 20;

/**
 * Everything of this installation in three calls, one more when something crashes; each gives up to 5000 of its kind. `embed` puts what
 * every process does into the list of processes (the Cloud Controller's source has it; it came after API 3.199, which brought the same for
 * single processes). Where a platform refuses or ignores it, those that the crash events of the last hour name are looked at one by one.
 */
export function createObserver(foundry: Foundry, installation: string): Observer {
  let embeds = true;

  async function processesOf(spaceGuid: string, signal: AbortSignal): Promise<Process[]> {
    const query = { space_guids: spaceGuid, types: 'web' };
    if (embeds) {
      try {
        return await foundry.cc.list('/v3/processes', read.process, signal, { ...query, embed: 'process_instances' });
      } catch (error) {
        if (!hasCode(error, CODES.badQuery)) throw error;
        embeds = false;
      }
    }
    return await foundry.cc.list('/v3/processes', read.process, signal, query);
  }

  return {
    async observe({ signal }) {
      const { spaceGuid } = await foundry.target(signal);
      const query = { space_guids: spaceGuid, label_selector: selector({ [LABELS.installation]: installation }) };
      const [apps, processes, routes] = await Promise.all([
        foundry.cc.list('/v3/apps', read.app, signal, query),
        processesOf(spaceGuid, signal),
        foundry.cc.list('/v3/routes', read.route, signal, query),
      ]);
      const ours = apps.filter((app) => keyOf(app.metadata, app.guid)?.installation === installation);
      const serving = byApp(processes);
      const instances = new Map([...serving].map(([guid, { process_instances }]) => [guid, process_instances]));
      const crashes = await crashesOf(foundry, spaceGuid, ours, instances, signal);
      await lookAtSuspects(foundry, ours, serving, instances, crashes, signal);
      return ours.map((app) => reportOf(foundry, seen(app, serving, instances, routes, crashes)));
    },
  };
}

type Instances = Map<string, ProcessInstance[] | undefined>;

function seen(
  app: App,
  serving: Map<string, Process>,
  instances: Instances,
  routes: readonly Route[],
  crashes: Map<string, Crash>,
) {
  const process = serving.get(app.guid);
  const states = instances.get(app.guid);
  const crash = crashes.get(app.guid)?.data?.exit_description;
  return {
    app,
    routes: routes.filter((route) => carriesApp(route, app)),
    ...(process ? { process } : {}),
    ...(states ? { instances: states } : {}),
    ...(crash ? { crash } : {}),
  };
}

function carriesApp(route: Route, app: App): boolean {
  return route.destinations.some((one) => one.app.guid === app.guid);
}

/** The oldest web process of each app: it is the one that serves while a rolling deployment runs. */
function byApp(processes: readonly Process[]): Map<string, Process> {
  const serving = new Map<string, Process>();
  for (const process of processes) {
    const app = process.relationships.app ?? process.guid;
    const there = serving.get(app);
    if (!there || process.created_at < there.created_at) serving.set(app, process);
  }
  return serving;
}

/** The newest crash of each app in the last hour: asked for when a process is seen to have crashed, or none could be seen. */
async function crashesOf(
  { cc }: Foundry,
  spaceGuid: string,
  apps: readonly App[],
  instances: Instances,
  signal: AbortSignal,
): Promise<Map<string, Crash>> {
  const started = apps.filter(({ state }) => state === 'STARTED').map(({ guid }) => instances.get(guid));
  const wanted = started.some((states) => states === undefined || states.some(({ state }) => state === 'CRASHED'));
  const found = new Map<string, Crash>();
  if (!wanted) return found;
  const since = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const query = {
    types: 'audit.app.process.crash',
    space_guids: spaceGuid,
    'created_ats[gt]': since,
    order_by: '-created_at',
  };
  try {
    for (const crash of await cc.first('/v3/audit_events', read.crash, signal, query, 5000)) {
      if (!found.has(crash.target.guid)) found.set(crash.target.guid, crash);
    }
  } catch (error) {
    // Korifi keeps no events.
    if (!hasStatus(error, 404)) throw error;
  }
  return found;
}

/** Started apps of which nothing is known but that they crashed. */
async function lookAtSuspects(
  { cc }: Foundry,
  apps: readonly App[],
  serving: Map<string, Process>,
  instances: Instances,
  crashes: Map<string, Crash>,
  signal: AbortSignal,
): Promise<void> {
  const suspects = apps.filter(({ guid, state }) => state === 'STARTED' && !instances.get(guid) && crashes.has(guid));
  await Promise.all(
    suspects.slice(0, SUSPECTS).map(async ({ guid }) => {
      const process = serving.get(guid);
      if (!process) return;
      instances.set(guid, (await cc.get(`/v3/processes/${process.guid}/stats`, read.stats, signal)).resources);
    }),
  );
}
