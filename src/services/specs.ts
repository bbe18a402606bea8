import type { DeploymentKey, DeploymentReport, EnvironmentSpec } from '../../adapters/adapter.js';
import type { Application, Artefact, Environment, Instance, Version } from '../domain/model.js';
import type { InstanceState, PlatformState } from '../domain/states.js';
import type { InstanceChanges } from '../store/store.js';

/** From our rows to what adapters are given, and back. */
export function environmentSpec(installation: string, environment: Environment): EnvironmentSpec {
  const { envId, name, nodes, variables, memory, disk, ref } = environment;
  return {
    ...{ installation, envId, name, nodes, variables },
    ...(memory === undefined ? {} : { memory }),
    ...(disk === undefined ? {} : { disk }),
    ...(ref === undefined ? {} : { ref }),
  };
}

export function deploymentKey(
  installation: string,
  { appId, instanceId, ref }: Pick<Instance, 'appId' | 'instanceId' | 'ref'>,
  envId: number,
): DeploymentKey {
  return { installation, appId, envId, instanceId, ...(ref === undefined ? {} : { ref }) };
}

export function isSameDeployment(a: DeploymentKey, b: DeploymentKey): boolean {
  return a.appId === b.appId && a.envId === b.envId && a.instanceId === b.instanceId;
}

export const VANISHED = 'The platform has it no longer. Deploy it again, or undeploy it.';

function stateFrom(state: PlatformState): InstanceState {
  return state === 'ABSENT' ? 'FAILED' : state;
}

/** What a report makes of a deployed instance. */
export function changesFrom(report: DeploymentReport): InstanceChanges {
  const state = stateFrom(report.state);
  return {
    state,
    reason:
      state === 'FAILED'
        ? (report.reason ?? (report.state === 'ABSENT' ? VANISHED : 'The platform does not say why.'))
        : null,
    processes: report.processes,
    ref: report.ref,
    uri: report.uri ?? null,
    observedAt: new Date().toISOString(),
    ...(report.remarks ? { remarks: report.remarks } : {}),
  };
}

/** What a first deploy left that neither came to its end nor could be undone: it is not the deployment. */
export function isHalfMade({ ref }: Pick<Instance, 'ref'>, { versionId }: DeploymentReport): boolean {
  return ref === undefined && versionId === undefined;
}

/** Not deployed any more. */
export function undeployed(): InstanceChanges {
  return { state: 'CREATED', reason: null, envId: null, ref: null, uri: null, observedAt: null, remarks: [] };
}

/** The first deployable of type `artifact` is what runs (api.md §2). */
export function runnable({ deployables }: Version) {
  return deployables.find((one) => one.contentType === 'artifact') ?? deployables.find((one) => one.artefact);
}

export function artefactOf(version: Version): Artefact | undefined {
  return runnable(version)?.artefact;
}

export function deployedInstances({ versions }: Application): Instance[] {
  return versions.flatMap((version) => version.instances).filter((one) => one.envId !== undefined);
}
