import type { Artefact } from '../../src/domain/model.js';

/** What the simulated platform keeps: its spaces (environments) and deployments, as they stand in its file. */
export interface PlatformObjects {
  nextId: number;
  spaces: PlatformSpace[];
  deployments: PlatformDeployment[];
}

/** Whose it is: the labels by which an adapter finds its own objects again. */
export interface SpaceLabels {
  installation: string;
  envId: number;
}

export interface PlatformSpace extends SpaceLabels {
  id: string;
  name: string;
  container?: string;
  databases: string[];
  variables: Record<string, string>;
}

export interface DeploymentLabels extends SpaceLabels {
  appId: number;
  instanceId: number;
}

export interface PlatformRelease {
  versionId: number;
  applicationName: string;
  artefact: Artefact;
  variables: Record<string, string>;
}

export interface PlatformDeployment extends DeploymentLabels {
  id: string;
  /** On 127.0.0.1, from the creation to the deletion: the deployment's route. */
  port: number;
  started: boolean;
  processes: number;
  memory: number;
  /** What runs; absent until the first staging has succeeded. */
  release?: PlatformRelease;
  /** Why it crashed at its last start. */
  crash?: string;
  log: string[];
}

export function sameSpace(a: SpaceLabels, b: SpaceLabels): boolean {
  return a.installation === b.installation && a.envId === b.envId;
}

export function sameDeployment(a: DeploymentLabels, b: DeploymentLabels): boolean {
  return sameSpace(a, b) && a.appId === b.appId && a.instanceId === b.instanceId;
}
