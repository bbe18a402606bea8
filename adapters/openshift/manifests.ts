import type { DeploymentKey } from '../adapter.js';
import type { Manifest } from './api-objects.js';
import { DEPLOYMENT, ROUTE, SERVICE } from './kinds.js';
import { ANNOTATION, deploymentLabels, deploymentName } from './names.js';

/** Where every S2I image listens. */
export const PORT = 8080;
export const CONTAINER = 'application';

/** What a Deployment runs: enough to bring just this back. It stands in an annotation and holds no secret. */
export interface Release {
  versionId: number;
  /** SHA-256 of the artefact. */
  artefact: string;
  /** Print of what its image was built of. */
  inputs: string;
  /** By digest. */
  image: string;
  runtime: string;
  /** MiB. */
  memory: number;
  /** MiB. */
  disk?: number;
  /** Secrets whose keys are the process's variables. */
  secrets: string[];
  /** Print of what is in them. */
  variables: string;
}

export interface DeploymentPlan {
  namespace: string;
  key: DeploymentKey;
  applicationName: string;
  release: Release;
  /** Set until the release is proven; null: there was none. */
  previous?: Release | null;
  /** Running now. */
  replicas: number;
  /** Running after the next start. */
  processes: number;
  /** Seconds until a rollout without progress has failed. */
  deadline: number;
}

export function deploymentManifest(plan: DeploymentPlan): Manifest {
  const { release } = plan;
  const labels = deploymentLabels(plan.key);
  return {
    apiVersion: DEPLOYMENT.apiVersion,
    kind: DEPLOYMENT.kind,
    metadata: {
      name: deploymentName(plan.key),
      namespace: plan.namespace,
      labels,
      annotations: {
        [ANNOTATION.applicationName]: plan.applicationName,
        [ANNOTATION.processes]: String(plan.processes),
        [ANNOTATION.release]: JSON.stringify(release),
        ...(plan.previous === undefined ? {} : { [ANNOTATION.previous]: JSON.stringify(plan.previous) }),
      },
    },
    spec: {
      replicas: plan.replicas,
      progressDeadlineSeconds: plan.deadline,
      revisionHistoryLimit: 2,
      selector: { matchLabels: labels },
      // The old processes serve until the new ones are ready.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels, annotations: { [ANNOTATION.variables]: release.variables } },
        spec: {
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: CONTAINER,
              image: release.image,
              ports: [{ name: 'http', containerPort: PORT }],
              env: [{ name: 'PORT', value: String(PORT) }],
              envFrom: release.secrets.map((name) => ({ secretRef: { name } })),
              resources: resources(release),
              readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 2, timeoutSeconds: 2 },
              // Routers go on sending for a moment after a process was told to end.
              lifecycle: { preStop: { exec: { command: ['sleep', '3'] } } },
            },
          ],
        },
      },
    },
  };
}

function resources({ memory, disk }: Release): object {
  const amounts = { memory: `${memory}Mi`, ...(disk === undefined ? {} : { 'ephemeral-storage': `${disk}Mi` }) };
  return { limits: amounts, requests: amounts };
}

export function serviceManifest(namespace: string, key: DeploymentKey): Manifest {
  const labels = deploymentLabels(key);
  return {
    apiVersion: SERVICE.apiVersion,
    kind: SERVICE.kind,
    metadata: { name: deploymentName(key), namespace, labels },
    spec: { selector: labels, ports: [{ name: 'http', port: PORT, targetPort: 'http' }] },
  };
}

/** Without a host the cluster makes one of the route's and the project's name. */
export function routeManifest(
  namespace: string,
  key: DeploymentKey,
  name: string,
  options: { host?: string; tls: boolean },
): Manifest {
  return {
    apiVersion: ROUTE.apiVersion,
    kind: ROUTE.kind,
    metadata: { name, namespace, labels: deploymentLabels(key) },
    spec: {
      ...(options.host === undefined ? {} : { host: options.host }),
      to: { kind: SERVICE.kind, name: deploymentName(key), weight: 100 },
      port: { targetPort: 'http' },
      ...(options.tls ? { tls: { termination: 'edge', insecureEdgeTerminationPolicy: 'Redirect' } } : {}),
    },
  };
}
