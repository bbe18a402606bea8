import { type AdapterCall, AdapterError, type DeploymentKey } from '../adapter.js';
import { routesOf } from './application.js';
import { createOnce, type Foundry, finishJob } from './client.js';
import { hasStatus, isTaken } from './errors.js';
import { hostCandidates, LABELS, labelsOf } from './names.js';
import { type App, type Route, read } from './resources.js';

/** The deployment's route, leading to the app. Its host is chosen once, and found again by the route's labels. */
export async function ensureRoute(
  foundry: Foundry,
  key: DeploymentKey,
  applicationName: string,
  app: App,
  { signal, step }: AdapterCall,
): Promise<Route> {
  step('route');
  const { cc, settings } = foundry;
  const find = async () => (await routesOf(foundry, key, signal))[0];
  const route = (await find()) ?? (await takeHost(foundry, key, hostCandidates(applicationName, key), find, signal));
  if (leadsTo(route, app)) return route;
  const json = { destinations: [{ app: { guid: app.guid } }] };
  // The same destination twice is one.
  await cc.send('POST', `/v3/routes/${route.guid}/destinations`, signal, { json, again: true });
  const now = await cc.get(`/v3/routes/${route.guid}`, read.route, signal);
  if (!leadsTo(now, app))
    throw new AdapterError(
      'unavailable',
      `The route ${settings.routeUrl.replace('{host}', now.url)} does not lead to its application.`,
    );
  return now;
}

async function takeHost(
  { cc, settings, target }: Foundry,
  key: DeploymentKey,
  hosts: readonly string[],
  find: () => Promise<Route | undefined>,
  signal: AbortSignal,
): Promise<Route> {
  const { spaceGuid, domain } = await target(signal);
  for (const host of hosts) {
    const json = {
      host,
      relationships: { space: { data: { guid: spaceGuid } }, domain: { data: { guid: domain.guid } } },
      metadata: { labels: labelsOf(key) },
    };
    const create = async () => read.route((await cc.send('POST', '/v3/routes', signal, { json })).body);
    try {
      return await createOnce(find, create, { settings, signal });
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  throw new AdapterError(
    'conflict',
    `These hosts of ${domain.name} belong to others: ${hosts.join(', ')}. Give the application another name.`,
  );
}

/** Deletes the deployment's routes. One that somebody also led to another app is left to them, without our labels. */
export async function deleteRoutes(
  foundry: Foundry,
  key: DeploymentKey,
  appGuid: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { cc, settings } = foundry;
  for (const route of await routesOf(foundry, key, signal)) {
    const path = `/v3/routes/${route.guid}`;
    try {
      if (route.destinations.some((one) => one.app.guid !== appGuid)) {
        const labels = Object.fromEntries(Object.values(LABELS).map((name) => [name, null]));
        await cc.send('PATCH', path, signal, { json: { metadata: { labels } } });
        continue;
      }
      const { job } = await cc.send('DELETE', path, signal);
      const waiting = {
        what: 'a route to be deleted',
        failed: 'The route could not be deleted',
        limit: settings.startTimeout,
      };
      if (job !== undefined) await finishJob(foundry, job, waiting, signal);
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
    }
  }
}

function leadsTo(route: Route, app: App): boolean {
  return route.destinations.some((one) => one.app.guid === app.guid);
}
