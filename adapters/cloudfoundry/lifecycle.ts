import { type AdapterCall, AdapterError, type DeploymentKey, type DeploymentReport } from '../adapter.js';
import { instancesOf, isDeployed, reportNow, requireApp, webProcesses } from './application.js';
import { type Foundry, finishJob } from './client.js';
import { hasStatus } from './errors.js';
import { recentLines } from './logs.js';
import { type App, type Process, type ProcessInstance, read } from './resources.js';
import { deleteRoutes } from './routes.js';
import { isRunning } from './states.js';
import { waitFor } from './wait.js';

export async function start(foundry: Foundry, key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
  const app = await deployedApp(foundry, key, call.signal);
  const process = await webProcess(foundry, app, call.signal);
  call.step('start');
  if (app.state === 'STOPPED' || (await needsPush(foundry, process, call.signal)))
    await push(foundry, app, process, call.signal);
  await untilRunning(foundry, app, call);
  return await reportNow(foundry, key, call.signal);
}

export async function stop(foundry: Foundry, key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
  const app = await requireApp(foundry, key, call.signal);
  call.step('stop');
  await halt(foundry, app, call.signal);
  return await reportNow(foundry, key, call.signal);
}

export async function restart(foundry: Foundry, key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport> {
  const app = await deployedApp(foundry, key, call.signal);
  const process = await webProcess(foundry, app, call.signal);
  call.step('restart');
  await push(foundry, app, process, call.signal);
  await untilRunning(foundry, app, call);
  return await reportNow(foundry, key, call.signal);
}

export async function scale(
  foundry: Foundry,
  key: DeploymentKey,
  processes: number,
  call: AdapterCall,
): Promise<DeploymentReport> {
  const app = await requireApp(foundry, key, call.signal);
  const process = await webProcess(foundry, app, call.signal);
  call.step('scale');
  if (process.instances !== processes) await resize(foundry, app, { instances: processes }, call.signal);
  if (app.state === 'STARTED') await untilRunning(foundry, app, call);
  return await reportNow(foundry, key, call.signal);
}

/** Deletes app and routes, running or not. What an interrupted attempt left is found by its labels. */
export async function undeploy(
  foundry: Foundry,
  key: DeploymentKey,
  app: App | undefined,
  { signal, step }: AdapterCall,
): Promise<void> {
  const { cc, settings } = foundry;
  step('undeploy');
  try {
    const { job } = app ? await cc.send('DELETE', `/v3/apps/${app.guid}`, signal) : {};
    const waiting = {
      what: 'the app to be deleted',
      failed: 'The app could not be deleted',
      limit: settings.serviceTimeout,
    };
    if (job !== undefined) await finishJob(foundry, job, waiting, signal);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
  // A deleted app leaves its routes behind.
  await deleteRoutes(foundry, key, app?.guid, signal);
}

export interface Size {
  instances?: number;
  memory_in_mb?: number;
  disk_in_mb?: number;
}

export async function resize({ cc }: Foundry, app: App, size: Size, signal: AbortSignal): Promise<Process> {
  const path = `/v3/apps/${app.guid}/processes/web/actions/scale`;
  return read.process((await cc.send('POST', path, signal, { json: size, again: true })).body);
}

async function deployedApp(foundry: Foundry, key: DeploymentKey, signal: AbortSignal): Promise<App> {
  const app = await requireApp(foundry, key, signal);
  if (isDeployed(app)) return app;
  throw new AdapterError('not-found', 'Nothing was deployed to the end here: deploy again.');
}

async function webProcess(foundry: Foundry, app: App, signal: AbortSignal): Promise<Process> {
  const process = (await webProcesses(foundry, app, signal)).at(-1);
  if (process) return process;
  throw new AdapterError('failed', 'The application has no web process.');
}

/** Started, as the platform says, but nothing runs or all crashed: the scheduler was not told, or gave up. */
async function needsPush(foundry: Foundry, process: Process, signal: AbortSignal): Promise<boolean> {
  const instances = await instancesOf(foundry, process, signal);
  return instances.every(({ state, details }) => state === 'CRASHED' || (state === 'DOWN' && !details));
}

/**
 * Tells the platform to run the app. `restart`, also for a stopped one: after `start` the scheduler is not told of an app whose newest
 * package is not its current droplet's, and half a minute passes until it finds out by itself.
 */
async function push(foundry: Foundry, app: App, process: Process, signal: AbortSignal): Promise<void> {
  // Somebody scaled it to nothing: "all of no processes run" would be true at once.
  if (process.instances === 0) await resize(foundry, app, { instances: 1 }, signal);
  await foundry.cc.send('POST', `/v3/apps/${app.guid}/actions/restart`, signal, { again: true });
}

async function halt(foundry: Foundry, app: App, signal: AbortSignal): Promise<void> {
  const { cc, settings } = foundry;
  const isDown = async () => {
    const processes = await webProcesses(foundry, app, signal);
    const states = await Promise.all(processes.map((process) => instancesOf(foundry, process, signal)));
    return states.flat().every(({ state }) => state === 'DOWN') ? true : undefined;
  };
  // A stop that the scheduler did not hear of leaves the app STOPPED and its processes running.
  if (app.state === 'STARTED' || !(await isDown()))
    await cc.send('POST', `/v3/apps/${app.guid}/actions/stop`, signal, { again: true });
  const waiting = {
    what: 'the processes to stop',
    limit: settings.startTimeout,
    interval: settings.pollInterval,
    signal,
  };
  await waitFor(waiting, isDown);
}

/** Waits until every process runs and keeps running. Throws `failed` with the reason when one crashes. */
export async function untilRunning(foundry: Foundry, app: App, { signal, step }: AdapterCall): Promise<void> {
  const { settings } = foundry;
  let seen: ProcessInstance[] = [];
  let runningSince: number | undefined;
  const waiting = {
    what: 'every process to run',
    limit: settings.startTimeout,
    interval: settings.pollInterval,
    signal,
  };
  try {
    await waitFor(waiting, async () => {
      const process = await webProcess(foundry, app, signal);
      seen = await instancesOf(foundry, process, signal);
      if (seen.some(({ state }) => state === 'CRASHED')) throw await crashed(foundry, app, signal);
      step('start', {
        text: `${seen.filter(({ state }) => state === 'RUNNING').length} of ${process.instances} processes run`,
      });
      if (!isRunning(seen, process.instances)) {
        runningSince = undefined;
        return undefined;
      }
      // An app that exits soon after its start is RUNNING for a moment, again and again.
      runningSince ??= Date.now();
      return Date.now() - runningSince >= settings.settleTime ? true : undefined;
    });
  } catch (error) {
    const homeless = seen.find(({ state, details }) => state === 'DOWN' && details);
    if (!homeless || !(error instanceof AdapterError) || error.kind !== 'timeout') throw error;
    throw new AdapterError('quota', `Cloud Foundry has no place for every process: ${homeless.details}`, {
      cause: error,
    });
  }
}

/** Why the app crashed, with its last lines: the reason stands in the audit events only. */
export async function crashed(foundry: Foundry, app: App, signal: AbortSignal): Promise<AdapterError> {
  const query = { types: 'audit.app.process.crash', target_guids: app.guid, order_by: '-created_at' };
  const events = await foundry.cc.first('/v3/audit_events', read.crash, signal, query).catch(() => []);
  const lines = await recentLines(foundry, app.guid, { lines: 10, source: 'APP' }, signal).catch(() => []);
  const reason = events[0]?.data?.exit_description ?? 'the platform gives no reason';
  return new AdapterError('failed', [`The application crashed: ${reason}`, ...lines].join('\n'));
}
