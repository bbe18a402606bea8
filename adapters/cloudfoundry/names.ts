import { createHash } from 'node:crypto';
import type { DeploymentKey, EnvironmentKey } from '../adapter.js';

/** A label's prefix must be a DNS name with a dot, and `cloudfoundry.org` is reserved. */
const PREFIX = 'coaps.gateway/';

export const LABELS = {
  installation: `${PREFIX}installation`,
  application: `${PREFIX}application`,
  environment: `${PREFIX}environment`,
  instance: `${PREFIX}instance`,
  /** Written last: an app without it was never deployed to the end. */
  version: `${PREFIX}version`,
  /** Of the artefact. */
  artefact: `${PREFIX}artefact`,
  /** Of everything that staging depends on. */
  staging: `${PREFIX}staging`,
  node: `${PREFIX}node`,
} as const;

export type Labels = Readonly<Record<string, string | null>>;

export function labelsOf(key: DeploymentKey): Record<string, string> {
  return {
    [LABELS.installation]: key.installation,
    [LABELS.application]: String(key.appId),
    [LABELS.environment]: String(key.envId),
    [LABELS.instance]: String(key.instanceId),
  };
}

export function environmentLabels(key: EnvironmentKey): Record<string, string> {
  return { [LABELS.installation]: key.installation, [LABELS.environment]: String(key.envId) };
}

/** The labels as a selector: all of them. */
export function selector(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

export function carries(labels: Labels, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

/** The key in an object's labels; undefined when it is not one of ours. */
export function keyOf(labels: Labels, guid: string): DeploymentKey | undefined {
  const installation = labels[LABELS.installation];
  const [appId, envId, instanceId] = [LABELS.application, LABELS.environment, LABELS.instance].map((name) =>
    /^\d{1,10}$/.test(labels[name] ?? '') ? Number(labels[name]) : undefined,
  );
  if (!installation || appId === undefined || envId === undefined || instanceId === undefined) return undefined;
  return { installation, appId, envId, instanceId, ref: guid };
}

/** Unique in the space, and the same at every attempt: the platform itself refuses a second one. */
export function appName({ installation, appId, envId, instanceId }: DeploymentKey): string {
  return `coaps-${installation}-${appId}-${envId}-${instanceId}`;
}

export function serviceName({ installation, envId }: EnvironmentKey, node: string): string {
  return `coaps-${installation}-${envId}-${node}`;
}

/**
 * Hosts to try for a route, the nicest first: what an application is called, then numbered, the last one as unique as the app. A host
 * is a DNS label: at most 63 letters, digits and hyphens.
 */
export function hostCandidates(applicationName: string, key: DeploymentKey): string[] {
  const name = slug(applicationName) || 'app';
  const { installation, appId, envId, instanceId } = key;
  const suffixes = [
    '',
    `-${appId}`,
    `-${appId}-${envId}-${instanceId}`,
    `-${installation}-${appId}-${envId}-${instanceId}`,
  ];
  return suffixes.map((suffix) => `${name.slice(0, 63 - suffix.length).replace(/-+$/, '')}${suffix}`);
}

/** Lower-case letters, digits and hyphens of a text; accents are taken off. */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** A label's value has at most 63 characters: a SHA-256 does not fit. */
export function fingerprint(...parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
