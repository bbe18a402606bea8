import type { DeploymentKey, EnvironmentKey } from '../adapter.js';

/** Names on the platform: of an environment's application, and of a deployment's service. Nothing else of theirs is ours. */
export function applicationName({ installation, envId }: EnvironmentKey): string {
  return `coaps-${installation}-e${envId}`;
}

export function serviceName({ installation, appId, envId, instanceId }: DeploymentKey): string {
  return `coaps-${installation}-a${appId}-e${envId}-i${instanceId}`;
}

/** Of an environment's databases, from 1. */
export function databaseName(environment: EnvironmentKey, number: number): string {
  return `${applicationName(environment)}-db${number}`;
}

export function isDatabaseOf(name: string, environment: EnvironmentKey): boolean {
  const prefix = `${applicationName(environment)}-db`;
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}

/** The key in a service's name; undefined: it is not of this installation. */
export function keyOf(name: string, installation: string): DeploymentKey | undefined {
  const [, owner, appId, envId, instanceId] = /^coaps-([a-z0-9]+)-a(\d+)-e(\d+)-i(\d+)$/.exec(name) ?? [];
  if (owner !== installation) return undefined;
  return { installation, appId: Number(appId), envId: Number(envId), instanceId: Number(instanceId) };
}

/** What stands as description at uploaded code, so that it is found again: the version, and which bytes. */
export function codeDescription(versionId: number, sha256: string): string {
  return `COAPS version ${versionId} sha256 ${sha256}`;
}

export function versionIn(description: string): number | undefined {
  const [, version] = /^COAPS version (\d+) sha256 [0-9a-f]{64}$/.exec(description) ?? [];
  return version === undefined ? undefined : Number(version);
}
