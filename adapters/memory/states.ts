import type { PlatformState } from '../../src/domain/states.js';
import type { DeploymentReport } from '../adapter.js';
import type { PlatformDeployment } from './objects.js';

export function stateOf(deployment: PlatformDeployment): PlatformState {
  if (deployment.crash !== undefined || deployment.release === undefined) return 'FAILED';
  return deployment.started ? 'STARTED' : 'STOPPED';
}

export function reportOf(deployment: PlatformDeployment): DeploymentReport {
  const { installation, appId, envId, instanceId, release } = deployment;
  const reason = deployment.crash ?? (release ? undefined : 'It was never staged: the deploy did not come to its end.');
  return {
    key: { installation, appId, envId, instanceId, ref: deployment.id },
    ...(release ? { versionId: release.versionId } : {}),
    ref: deployment.id,
    state: stateOf(deployment),
    processes: deployment.processes,
    uri: `http://127.0.0.1:${deployment.port}`,
    ...(reason === undefined ? {} : { reason }),
  };
}
