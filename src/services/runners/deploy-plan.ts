import type { DeploymentReport } from '../../../adapters/adapter.js';
import type { InstanceState } from '../../domain/states.js';
import type { Store, StoreSession } from '../../store/store.js';
import type { Artefacts } from '../artefacts.js';
import { changesFrom, undeployed } from '../specs.js';
import type { RunnerParts } from './targets.js';

export interface DeployInput {
  appId: number;
  versionId: number;
  instanceIds: number[];
  envId: number;
}

export interface DeployParts extends RunnerParts {
  store: Store;
  artefacts: Artefacts;
}

/** What stood there when the deploy of an instance began. */
export interface Prepared {
  /** The other version whose instance of this number is deployed there: it is replaced. */
  holder?: number;
  /** Nothing was deployed there. */
  first: boolean;
  before: InstanceState;
  ref?: string;
}

export function stepsOf(instanceIds: readonly number[], instanceId: number): { prepare: string; deploy: string } {
  const suffix = instanceIds.length === 1 ? '' : ` instance ${instanceId}`;
  return { prepare: `prepare${suffix}`, deploy: `deploy${suffix}` };
}

/** The new version's instance is what the platform reports; the one that it replaced is not deployed any more. */
export async function conclude(
  { applications }: StoreSession,
  { appId, versionId, envId }: DeployInput,
  instanceId: number,
  { holder }: Prepared,
  report: DeploymentReport,
): Promise<void> {
  const changes = { ...changesFrom(report), envId, remarks: report.remarks ?? [] };
  await applications.updateInstance({ appId, versionId, instanceId }, changes);
  if (holder !== undefined) await applications.updateInstance({ appId, versionId: holder, instanceId }, undeployed());
}
