import type { PlatformState } from '../../src/domain/states.js';
import type { DeploymentKey, DeploymentReport } from '../adapter.js';
import type { ServiceStatus } from './director.js';
import { versionIn } from './names.js';

type Seen = Pick<ServiceStatus, 'state' | 'nodes'>;

/** Phases of an application that does not serve and will not by itself soon. */
const DOWN = ['failed', 'restarting', 'stopped', 'dead'];

/** ConPaaS' state in ours. ADAPTING is STARTED: what served before goes on serving. */
export function stateOf({ state, nodes }: Seen): PlatformState {
  switch (state) {
    case 'INIT':
    case 'STOPPED':
      return 'STOPPED';
    case 'PROLOGUE':
      return 'STARTING';
    case 'EPILOGUE':
      return 'STOPPING';
    case 'RUNNING':
    case 'ADAPTING':
      return downReason(nodes) === undefined ? 'STARTED' : 'FAILED';
    default:
      return 'FAILED';
  }
}

/** Why nobody serves, when not one of the nodes that should does. */
function downReason(nodes: Seen['nodes']): string | undefined {
  const serving = nodes.filter(({ roles }) => roles.includes('backend'));
  if (serving.length === 0 || serving.some(({ phase }) => !DOWN.includes(phase))) return undefined;
  return serving.map(({ id, phase, reason }) => `${id} is ${phase}${reason ? `: ${reason}` : ''}`).join('; ');
}

export function reportOf(status: ServiceStatus, key: DeploymentKey): DeploymentReport {
  const { installation, appId, envId, instanceId } = key;
  const ref = String(status.sid);
  const state = stateOf(status);
  const versionId = versionIn(status.code.description);
  const reason =
    state === 'FAILED' ? (downReason(status.nodes) ?? (status.reason || 'The service failed.')) : undefined;
  return {
    key: { installation, appId, envId, instanceId, ref },
    ref,
    state,
    processes: status.processes,
    ...(versionId === undefined ? {} : { versionId }),
    ...(status.url === undefined ? {} : { uri: status.url }),
    ...(reason === undefined ? {} : { reason }),
  };
}
