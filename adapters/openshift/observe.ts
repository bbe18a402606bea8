import type { DeploymentReport } from '../adapter.js';
import type { ApiObject, Deployment, Pod, Project, Route } from './api-objects.js';
import { reportOf } from './deployments.js';
import { isCode } from './errors.js';
import { DEPLOYMENT, type Kind, POD, PROJECT, ROUTE } from './kinds.js';
import { environmentOf, keyOf, LABEL } from './names.js';
import type { Work } from './work.js';

interface Seen {
  deployments: Deployment[];
  pods: Pod[];
  routes: Route[];
}

/** How many projects are asked at the same time. */
const AT_ONCE = 8;

/** Whether the account may list over all namespaces; forgotten after a while, as rights change. */
export interface Reach {
  clusterWide: boolean;
  until: number;
}

export const UNKNOWN_REACH: Reach = { clusterWide: true, until: 0 };
const REMEMBERED = 10 * 60_000;

/** All deployments of this installation: three lists where the account may see the whole cluster, else three for each of its projects. */
export async function observe(work: Work, reach: Reach): Promise<{ reports: DeploymentReport[]; reach: Reach }> {
  let known = Date.now() < reach.until ? reach : UNKNOWN_REACH;
  if (known.clusterWide) {
    try {
      return {
        reports: reportsOf(await look(work, undefined)),
        reach: { clusterWide: true, until: Date.now() + REMEMBERED },
      };
    } catch (failure) {
      if (!isCode(failure, 403)) throw failure;
      known = { clusterWide: false, until: Date.now() + REMEMBERED };
    }
  }
  const projects = await ownProjects(work);
  const reports: DeploymentReport[] = [];
  for (let first = 0; first < projects.length; first += AT_ONCE) {
    const seen = await Promise.all(projects.slice(first, first + AT_ONCE).map((project) => lookInto(work, project)));
    for (const one of seen) if (one) reports.push(...reportsOf(one));
  }
  return { reports, reach: known };
}

async function ownProjects({ client, settings, call }: Work): Promise<string[]> {
  const { items } = await client.list<Project>(PROJECT, {}, call.signal);
  const names = items.map((item) => item.metadata.name);
  return names.filter((name) => environmentOf(settings.projectPrefix, settings.installation, name) !== undefined);
}

/** A project that went away meanwhile, or bears our name without being ours, has nothing of ours. */
async function lookInto(work: Work, project: string): Promise<Seen | undefined> {
  try {
    return await look(work, project);
  } catch (failure) {
    if (isCode(failure, 403, 404)) return undefined;
    throw failure;
  }
}

async function look({ client, settings, call }: Work, namespace: string | undefined): Promise<Seen> {
  const labels = `${LABEL.installation}=${settings.installation},${LABEL.instance}`;
  const selection = namespace === undefined ? { labels } : { namespace, labels };
  const list = async <T extends ApiObject>(kind: Kind): Promise<T[]> =>
    (await client.list<T>(kind, selection, call.signal)).items;
  const [deployments, pods, routes] = await Promise.all([
    list<Deployment>(DEPLOYMENT),
    list<Pod>(POD),
    list<Route>(ROUTE),
  ]);
  return { deployments, pods, routes };
}

function reportsOf({ deployments, pods, routes }: Seen): DeploymentReport[] {
  return deployments.flatMap((deployment) => {
    const key = keyOf(deployment.metadata);
    const { namespace } = deployment.metadata;
    if (key === undefined || namespace === undefined) return [];
    const belongs = (one: ApiObject): boolean => {
      const other = keyOf(one.metadata);
      return one.metadata.namespace === namespace && other?.appId === key.appId && other.instanceId === key.instanceId;
    };
    return [reportOf(key, namespace, deployment, pods.filter(belongs), routes.find(belongs))];
  });
}
