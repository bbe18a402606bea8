import { AdapterError, type DeploymentKey, type DeploymentReport } from '../adapter.js';
import type { Deployment, Pod, Route } from './api-objects.js';
import { DEPLOYMENT, ROUTE } from './kinds.js';
import type { Release } from './manifests.js';
import { ANNOTATION, deploymentLabels, deploymentName, selector } from './names.js';
import { readOwned } from './ownership.js';
import { findProject } from './projects.js';
import { podsOf, type Subject } from './rollout.js';
import { addressOf } from './routes.js';
import { deploymentState } from './states.js';
import type { Work } from './work.js';

export function subjectOf(namespace: string, key: DeploymentKey): Subject {
  return {
    namespace,
    name: deploymentName(key),
    labels: selector(deploymentLabels(key)),
    title: `application ${key.appId}, instance ${key.instanceId}`,
  };
}

export interface Found {
  namespace: string;
  deployment: Deployment;
}

/** Throws `not-found`. */
export async function needDeployment(work: Work, key: DeploymentKey): Promise<Found> {
  const namespace = await findProject(work, key);
  const deployment = namespace === undefined ? undefined : await findDeployment(work, namespace, key);
  if (namespace === undefined || deployment === undefined) {
    throw new AdapterError(
      'not-found',
      `OpenShift has no deployment of application ${key.appId}, instance ${key.instanceId} in environment ${key.envId}.`,
    );
  }
  return { namespace, deployment };
}

export async function findDeployment(
  { client, call }: Work,
  namespace: string,
  key: DeploymentKey,
): Promise<Deployment | undefined> {
  const where = { namespace, name: deploymentName(key), labels: deploymentLabels(key) };
  return await readOwned<Deployment>(client, DEPLOYMENT, where, call.signal);
}

export function releaseOf(deployment: Deployment): Release | undefined {
  return parse(deployment.metadata.annotations?.[ANNOTATION.release]);
}

/** What to go back to while a rollout is unproven. `first`: to nothing, as there was none. */
export function previousOf(deployment: Deployment): Release | 'first' | undefined {
  const text = deployment.metadata.annotations?.[ANNOTATION.previous];
  return text === undefined ? undefined : (parse(text) ?? 'first');
}

/** Somebody may have edited it: then it is as if it were not there. */
function parse(text: string | undefined): Release | undefined {
  try {
    return text === undefined ? undefined : ((JSON.parse(text) as Release | null) ?? undefined);
  } catch {
    return undefined;
  }
}

/** How many processes a start brings. */
export function processesOf({ metadata, spec }: Deployment): number {
  const stored = Number(metadata.annotations?.[ANNOTATION.processes]);
  return Number.isInteger(stored) && stored >= 1 ? stored : Math.max(1, spec.replicas ?? 1);
}

/** Reads all of it anew. */
export async function report(work: Work, key: DeploymentKey, remarks: string[] = []): Promise<DeploymentReport> {
  const { client, call } = work;
  const { namespace, deployment } = await needDeployment(work, key);
  const labels = selector(deploymentLabels(key));
  const pods = await podsOf(work, { namespace, labels });
  const routes = await client.list<Route>(ROUTE, { namespace, labels }, call.signal);
  return reportOf(key, namespace, deployment, pods, routes.items[0], remarks);
}

export function reportOf(
  key: DeploymentKey,
  namespace: string,
  deployment: Deployment,
  pods: readonly Pod[],
  route: Route | undefined,
  remarks: string[] = [],
): DeploymentReport {
  const { installation, appId, envId, instanceId } = key;
  const ref = `${namespace}/${deployment.metadata.name}`;
  const { state, reason } = deploymentState(deployment, pods);
  const versionId = releaseOf(deployment)?.versionId;
  const uri = route === undefined ? undefined : addressOf(route);
  return {
    key: { installation, appId, envId, instanceId, ref },
    ref,
    state,
    processes: processesOf(deployment),
    ...(versionId === undefined ? {} : { versionId }),
    ...(uri === undefined ? {} : { uri }),
    ...(reason === undefined ? {} : { reason }),
    ...(remarks.length === 0 ? {} : { remarks }),
  };
}
