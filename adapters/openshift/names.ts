import type { DeploymentKey, EnvironmentKey } from '../adapter.js';
import type { Metadata } from './api-objects.js';

/** Prefix of all our labels and annotations. */
const OURS = 'coaps.gateway';

export const LABEL = {
  installation: `${OURS}/installation`,
  environment: `${OURS}/environment`,
  application: `${OURS}/application`,
  instance: `${OURS}/instance`,
  /** Word of a database node, e.g. `mysql`. */
  database: `${OURS}/database`,
  /** What a build was made of: the same inputs have the same value. */
  inputs: `${OURS}/inputs`,
} as const;

export const ANNOTATION = {
  /** What a Deployment runs, as JSON: a Release. */
  release: `${OURS}/release`,
  /** While a rollout is unproven: what to go back to. */
  previous: `${OURS}/previous`,
  /** How many processes the next start brings. */
  processes: `${OURS}/processes`,
  /** On a build: SHA-256 of the bytes that it took whole. */
  uploaded: `${OURS}/uploaded`,
  /** On a database: the image stream tag that its image was resolved from. */
  image: `${OURS}/image`,
  /** On a pod template: a print of the variables, so that changed ones reach the processes. */
  variables: `${OURS}/variables`,
  applicationName: `${OURS}/application-name`,
} as const;

const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'coaps-gateway' };

/** In every project of ours: the proof that it is ours. A project's own labels cannot be set by its administrator. */
export const OWNERSHIP = 'coaps';
export const VARIABLES = 'coaps-variables';

const DNS_LABEL = 63;

/** A DNS label of at most 54 characters: the prefix has at most 20, the installation 8, the number 10. */
export function projectName(prefix: string, { installation, envId }: EnvironmentKey): string {
  return `${prefix}-${installation}-e${envId}`;
}

/** The environment's number, when this is a project of this installation. */
export function environmentOf(prefix: string, installation: string, project: string): number | undefined {
  const start = `${prefix}-${installation}-e`;
  const rest = project.startsWith(start) ? project.slice(start.length) : '';
  return /^[1-9][0-9]*$/.test(rest) ? Number(rest) : undefined;
}

/** What the request for a project says: kept by the cluster where labels of the request are dropped. */
export function projectMark({ installation, envId }: EnvironmentKey): string {
  return `Environment ${envId} of COAPS gateway ${installation}`;
}

/** Name of a deployment's objects in its project. */
export function deploymentName({ appId, instanceId }: DeploymentKey): string {
  return `a${appId}-i${instanceId}`;
}

/**
 * Name of a route: the cluster makes `<name>-<project>.<domain>` of it, and the first part may have 63 characters. The application's name
 * is there for people; what identifies the route is its labels.
 */
export function routeName(key: DeploymentKey, applicationName: string, project: string): string {
  const name = deploymentName(key);
  const room = DNS_LABEL - project.length - name.length - 2;
  const word = slug(applicationName).slice(0, Math.max(0, room)).replace(/-+$/, '');
  return word === '' ? name : `${word}-${name}`;
}

/** Lower-case letters, digits and dashes, beginning with a letter; empty when nothing is left. */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .replace(/-+$/, '');
}

export function environmentLabels({ installation, envId }: EnvironmentKey): Record<string, string> {
  return { ...MANAGED_BY, [LABEL.installation]: installation, [LABEL.environment]: String(envId) };
}

export function deploymentLabels(key: DeploymentKey): Record<string, string> {
  return {
    ...environmentLabels(key),
    [LABEL.application]: String(key.appId),
    [LABEL.instance]: String(key.instanceId),
  };
}

/** As a label selector. */
export function selector(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

export function carries(metadata: Metadata, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value);
}

/** The key of a deployment's object, from its labels. */
export function keyOf({ labels = {} }: Metadata): DeploymentKey | undefined {
  const number = (name: string): number => Number(labels[name] ?? Number.NaN);
  const installation = labels[LABEL.installation];
  const [appId, envId, instanceId] = [number(LABEL.application), number(LABEL.environment), number(LABEL.instance)];
  const known = installation !== undefined && [appId, envId, instanceId].every(Number.isInteger);
  return known ? { installation, appId, envId, instanceId } : undefined;
}
