import { type AdapterCall, AdapterError } from '../adapter.js';
import { instancesOf, webProcesses } from './application.js';
import { createOnce, type Foundry } from './client.js';
import { hasStatus } from './errors.js';
import { crashed } from './lifecycle.js';
import { type App, type Deployment, read } from './resources.js';
import { waitFor } from './wait.js';

/**
 * Puts a droplet in the running one's place, process by process. A rolling deployment never fails by itself: it is watched here, and
 * cancelled when a new process crashes or the time is up; the platform then sets the old droplet again and the old processes go on.
 * `prepare` runs before a new deployment begins, and not when one of an interrupted attempt is taken up.
 */
export async function rollOut(
  foundry: Foundry,
  app: App,
  droplet: string,
  prepare: () => Promise<void>,
  call: AdapterCall,
): Promise<void> {
  call.step('rollout');
  const latest = await settled(foundry, app, droplet, call.signal);
  // Done by an interrupted attempt; a stopped app may have got another droplet since, by other means.
  const isCurrent = app.relationships.current_droplet === droplet;
  if (isCurrent && latest?.droplet?.guid === droplet && latest.status.reason === 'DEPLOYED') return;
  if (!isActive(latest)) await prepare();
  const deployment = isActive(latest) ? latest : await begin(foundry, app, droplet, call.signal);
  try {
    await follow(foundry, app, deployment, call);
  } catch (error) {
    await cancel(foundry, deployment);
    throw error;
  }
}

/** The newest deployment, once it is of this droplet or over: one of another droplet, left by an interrupted attempt, is cancelled. */
async function settled(
  foundry: Foundry,
  app: App,
  droplet: string,
  signal: AbortSignal,
): Promise<Deployment | undefined> {
  const latest = await newest(foundry, app, signal);
  if (!latest || !isActive(latest)) return latest;
  if (latest.droplet?.guid === droplet && latest.status.reason !== 'CANCELING') return latest;
  await cancel(foundry, latest);
  return await newest(foundry, app, signal);
}

async function newest({ cc }: Foundry, app: App, signal: AbortSignal): Promise<Deployment | undefined> {
  return (
    await cc.first('/v3/deployments', read.deployment, signal, { app_guids: app.guid, order_by: '-created_at' })
  )[0];
}

async function begin(foundry: Foundry, app: App, droplet: string, signal: AbortSignal): Promise<Deployment> {
  const json = {
    droplet: { guid: droplet },
    strategy: 'rolling',
    relationships: { app: { data: { guid: app.guid } } },
  };
  const find = async () => {
    const latest = await newest(foundry, app, signal);
    return isActive(latest) && latest?.droplet?.guid === droplet ? latest : undefined;
  };
  const create = async () => read.deployment((await foundry.cc.send('POST', '/v3/deployments', signal, { json })).body);
  return await createOnce(find, create, { settings: foundry.settings, signal });
}

async function follow(foundry: Foundry, app: App, { guid }: Deployment, { signal, step }: AdapterCall): Promise<void> {
  const { cc, settings } = foundry;
  // Process by process: each may take as long as a start.
  const processes = Math.max(1, (await webProcesses(foundry, app, signal))[0]?.instances ?? 1);
  const waiting = {
    what: 'the new version to take the place of the old one',
    limit: settings.startTimeout * processes,
    interval: settings.pollInterval,
    signal,
  };
  await waitFor(waiting, async () => {
    const { status } = await cc.get(`/v3/deployments/${guid}`, read.deployment, signal);
    if (status.value === 'FINALIZED' && status.reason === 'DEPLOYED') return true;
    if (status.value === 'FINALIZED')
      throw new AdapterError(
        'failed',
        `The rolling deployment ended ${status.reason ?? 'without a reason'}: somebody else deployed or cancelled.`,
      );
    const all = await webProcesses(foundry, app, signal);
    const young = all.length > 1 ? all.at(-1) : undefined;
    if (!young) return undefined;
    const states = (await instancesOf(foundry, young, signal)).map(({ state }) => state);
    if (states.includes('CRASHED')) throw await crashed(foundry, app, signal);
    step('rollout', {
      text: `${states.filter((state) => state === 'RUNNING').length} of ${processes} new processes run`,
    });
    return undefined;
  });
}

/** Works on its own clock: it must succeed also when the call was aborted, or two versions would serve at the same time. */
async function cancel({ cc, settings }: Foundry, { guid }: Deployment): Promise<void> {
  const signal = AbortSignal.timeout(settings.startTimeout + settings.patience);
  try {
    await cc.send('POST', `/v3/deployments/${guid}/actions/cancel`, signal, { again: true });
  } catch (error) {
    // It ended meanwhile.
    if (!hasStatus(error, 422) && !hasStatus(error, 404)) throw error;
  }
  const waiting = {
    what: 'a rolling deployment to be cancelled',
    limit: settings.startTimeout,
    interval: settings.pollInterval,
    signal,
  };
  await waitFor(waiting, async () => {
    const now = await cc.get(`/v3/deployments/${guid}`, read.deployment, signal);
    return isActive(now) ? undefined : true;
  });
}

function isActive(deployment: Deployment | undefined): deployment is Deployment {
  return deployment?.status.value === 'ACTIVE';
}
