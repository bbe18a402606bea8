import { AdapterError, type DeploymentKey, type DeploymentReport } from '../adapter.js';
import { pauseFor } from '../upstream.js';
import { ConpaasRefusal } from './errors.js';
import { reportOf } from './states.js';
import { type Found, findService, lastReason, needService, ours, untilResting, type Work } from './work.js';

export async function start(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  const found = await needService(work, key);
  await bringUp(work, found);
  return await reportNow(work, key);
}

/** Starts a service, out of whatever state it is in. Throws AdapterError `failed` with its words. */
export async function bringUp(work: Work, found: Found): Promise<void> {
  const { manager } = found;
  work.call.step('start');
  const before = found.status.state === 'PROLOGUE' ? 'PROLOGUE' : await atRest(work, found);
  if (before === 'RUNNING') return;
  if (before !== 'PROLOGUE') await manager.post('startup', { cloud: 'default' });
  const after = await untilResting(work, found, 'start');
  if (after !== 'RUNNING') throw new AdapterError('failed', await whyNot(found, 'The service did not start.'));
}

/** A resting state from which it can be started, or RUNNING. Throws `rejected` on a ConPaaS that has no way out of ERROR. */
async function atRest(work: Work, found: Found): Promise<string> {
  const state = await untilResting(work, found, 'wait');
  if (state !== 'ERROR') return state;
  if ((await ours(found.manager.post('reset'))) !== undefined) return await untilResting(work, found, 'reset');
  throw new AdapterError('rejected', 'The service is in ERROR, which this ConPaaS cannot leave: undeploy it.');
}

export async function stop(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  const found = await needService(work, key);
  work.call.step('stop');
  // A start that nobody wants any more is given up; where it cannot be, it is waited for.
  if (found.status.state === 'PROLOGUE') await ours(found.manager.post('undo'));
  const state = await atRest(work, found);
  if (state === 'RUNNING') {
    await found.manager.post('shutdown');
    await untilResting(work, found, 'stop');
  }
  return await reportNow(work, key);
}

export async function restart(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  await stop(work, key);
  return await start(work, key);
}

export async function scale(work: Work, key: DeploymentKey, processes: number): Promise<DeploymentReport> {
  const found = await needService(work, key);
  work.call.step('scale');
  const state = await untilResting(work, found, 'wait');
  if (state === 'RUNNING') await changeNodes(work, found, processes);
  else if ((await ours(found.manager.post('update_settings', { backends: processes }))) === undefined) {
    throw new AdapterError('not-supported', 'This ConPaaS can scale a started service only: start it first.');
  }
  return await reportNow(work, key);
}

/** One process is packed on the proxy node; more have nodes of their own. */
async function changeNodes(work: Work, found: Found, processes: number): Promise<void> {
  const { manager } = found;
  const { proxy, backend } = (await manager.get('list_nodes')) as { proxy: string[]; backend: string[] };
  const separate = backend.filter((id) => !proxy.includes(id)).length;
  const wanted = processes === 1 ? 0 : processes;
  if (wanted === separate) return;
  if (wanted > separate) await manager.post('add_nodes', { backend: wanted - separate, cloud: 'default' });
  else await manager.post('remove_nodes', { backend: separate - wanted });
  const state = await untilResting(work, found, 'scale');
  const now = (await manager.get('list_nodes')) as { proxy: string[]; backend: string[] };
  const reached = now.backend.filter((id) => !now.proxy.includes(id)).length;
  if (state !== 'RUNNING' || reached !== wanted) {
    throw new AdapterError('failed', await whyNot(found, 'The nodes were not changed.'));
  }
}

/** Ends the service, whatever it does, and waits until it is gone. */
export async function undeploy(work: Work, key: DeploymentKey): Promise<void> {
  const found = await findService(work, key);
  if (found) await remove(work, found.status.sid);
}

/** Stopping a service that is gone already is a refusal and no fault. */
export async function remove({ director, call, settings }: Work, sid: number): Promise<void> {
  call.step('remove');
  const isThere = async () => (await director.services(call.signal)).some((row) => row.sid === sid);
  await director.stopService(sid, call.signal).catch(async (error: unknown) => {
    if (!(error instanceof ConpaasRefusal) || (await isThere())) throw error;
  });
  const deadline = Date.now() + settings.changeTimeout;
  while (await isThere()) {
    if (Date.now() > deadline) {
      throw new AdapterError(
        'timeout',
        `The ConPaaS service ${sid} was still there after ${settings.changeTimeout / 1000} s.`,
      );
    }
    await pauseFor(REMOVAL_PAUSE, call.signal);
  }
}

const REMOVAL_PAUSE = 200;

export async function reportNow(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  return reportOf((await needService(work, key)).status, key);
}

/** ConPaaS' words; `otherwise` where it has none. */
export async function whyNot({ manager }: Found, otherwise: string): Promise<string> {
  const reason = await lastReason(manager).catch((error: unknown) => {
    if (error instanceof ConpaasRefusal) return '';
    throw error;
  });
  return reason || otherwise;
}
