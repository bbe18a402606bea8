import { AdapterError, type DeploymentKey } from '../adapter.js';
import type { Route } from './api-objects.js';
import { waitFor } from './follow.js';
import { ROUTE } from './kinds.js';
import { routeManifest } from './manifests.js';
import { deploymentLabels, routeName, selector } from './names.js';
import { applyOwned } from './ownership.js';
import type { Work } from './work.js';

/** The route of a deployment: the one that it has, by its labels, else a new one. Returns its address. */
export async function ensureRoute(
  work: Work,
  namespace: string,
  key: DeploymentKey,
  applicationName: string,
): Promise<string> {
  const { client, settings, call } = work;
  call.step('route');
  const labels = deploymentLabels(key);
  const { items } = await client.list<Route>(ROUTE, { namespace, labels: selector(labels) }, call.signal);
  const name = items[0]?.metadata.name ?? routeName(key, applicationName, namespace);
  // A host may be set by an ordinary account only when a route is made, and stays.
  const host =
    items[0]?.spec.host ??
    (settings.routeDomain === undefined ? undefined : `${name}-${namespace}.${settings.routeDomain}`);
  const manifest = routeManifest(namespace, key, name, { ...(host === undefined ? {} : { host }), tls: settings.tls });
  const route = await applyOwned<Route>(client, ROUTE, manifest, labels, call.signal);
  return await admitted(work, namespace, route);
}

/** The router takes a moment; it refuses a host that another route holds. */
async function admitted(work: Work, namespace: string, made: Route): Promise<string> {
  const { client, settings, call } = work;
  const { name } = made.metadata;
  const route = await waitFor<Route, Route>(
    client,
    ROUTE,
    { namespace, name },
    ([seen]) => {
      if (seen === undefined) throw new AdapterError('not-found', `Route ${name} was deleted by somebody.`);
      const conditions = (seen.status?.ingress ?? [])
        .flatMap((one) => one.conditions ?? [])
        .filter((one) => one.type === 'Admitted');
      if (conditions.some((one) => one.status === 'True')) return seen;
      const refused = conditions.find((one) => one.status === 'False');
      if (refused) {
        const kind = refused.reason === 'HostAlreadyClaimed' ? 'conflict' : 'rejected';
        throw new AdapterError(
          kind,
          `The router does not take the route ${seen.spec.host ?? name}: ${refused.message ?? refused.reason}`,
        );
      }
      return undefined;
    },
    {
      limit: settings.rolloutTimeout,
      signal: call.signal,
      what: () => `No router took the route ${made.spec.host ?? name}`,
    },
  );
  const address = addressOf(route);
  if (address === undefined) throw new AdapterError('failed', `Route ${name} has no host.`);
  return address;
}

export function addressOf(route: Route): string | undefined {
  const host = route.status?.ingress?.find((one) => one.host !== undefined)?.host ?? route.spec.host;
  if (host === undefined) return undefined;
  return `${route.spec.tls === undefined ? 'http' : 'https'}://${host}`;
}
