import { type AdapterCall, AdapterError, type DeploymentReport, type DeploymentSpec } from '../adapter.js';
import { findApp, isDeployed, reportNow, webProcesses } from './application.js';
import { explained, type Foundry, findOrCreate } from './client.js';
import { resize, type Size, undeploy, untilRunning } from './lifecycle.js';
import { appName, fingerprint, LABELS, labelsOf } from './names.js';
import { type App, type Process, read } from './resources.js';
import { rollOut } from './rollout.js';
import { ensureRoute } from './routes.js';
import { chooseRuntime, installedBuildpacks, type Runtime, runnableArtefacts } from './runtimes.js';
import { bindServices, ensureServices } from './services.js';
import { stage } from './staging.js';

export async function deploy(foundry: Foundry, spec: DeploymentSpec, call: AdapterCall): Promise<DeploymentReport> {
  const before = await findApp(foundry, spec.key, call.signal);
  if (before && holds(before, spec)) return await reportNow(foundry, spec.key, call.signal);
  const runtime = await plan(foundry, spec, call.signal);
  try {
    const remarks = await bring(foundry, spec, runtime, call);
    return { ...(await reportNow(foundry, spec.key, call.signal)), remarks: [...runtime.remarks, ...remarks] };
  } catch (error) {
    if (!before || !isDeployed(before)) throw await withoutRemains(foundry, spec, error);
    throw error;
  }
}

/** Same version, same bytes, deployed to the end. */
function holds(app: App, { versionId, artefact }: DeploymentSpec): boolean {
  return (
    app.metadata[LABELS.version] === String(versionId) && app.metadata[LABELS.artefact] === artefact.sha256.slice(0, 40)
  );
}

/** Everything that can be refused without touching the platform is refused here. */
async function plan(
  foundry: Foundry,
  { artefact, environment, memory }: DeploymentSpec,
  signal: AbortSignal,
): Promise<Runtime> {
  const runnable = runnableArtefacts(foundry.settings);
  if (!runnable.includes(artefact.type)) {
    const text = `An artefact of type ${artefact.type} needs an application server: only ${runnable.join(', ')} run on ${foundry.platform}.`;
    throw new AdapterError('not-supported', `${text} The option "buildpacks" can name one for jboss.`);
  }
  const installed = await installedBuildpacks(foundry, signal);
  return chooseRuntime(environment, artefact.type, memory ?? environment.memory, installed, foundry.settings);
}

/** From nothing, or from what an earlier attempt or version left, to the deployed app. The label with the version is written last. */
async function bring(foundry: Foundry, spec: DeploymentSpec, runtime: Runtime, call: AdapterCall): Promise<string[]> {
  const { signal } = call;
  const doing = <T>(what: string, work: () => Promise<T>) => explained(what, signal, work);
  const { variables, remarks } = settable(spec.environment.variables);
  const staging = fingerprint(spec.artefact.sha256, runtime.buildpacks, foundry.settings.stack ?? '', variables);

  const app = await doing('The app could not be made', () => ensureApp(foundry, spec, runtime, variables, call));
  const services = await doing('The services could not be made', () => ensureServices(foundry, spec.environment, call));
  await doing('The services could not be bound', () => bindServices(foundry, app, services.instances, call));
  await doing('The route could not be made', () => ensureRoute(foundry, spec.key, spec.applicationName, app, call));
  const droplet = await doing('The artefact could not be staged', () =>
    stage(foundry, app, { artefact: spec.artefact, buildpacks: runtime.buildpacks, fingerprint: staging }, call),
  );
  if (app.state === 'STARTED') await replaceRunning(foundry, app, droplet, sizeOf(spec, runtime), call);
  else await replaceStopped(foundry, app, droplet, sizeOf(spec, runtime), call);
  await doing('The app could not be marked as deployed', () => commit(foundry, app, spec, runtime, signal));
  return [...remarks, ...services.remarks];
}

async function ensureApp(
  foundry: Foundry,
  { key }: DeploymentSpec,
  { buildpacks }: Runtime,
  variables: Readonly<Record<string, string>>,
  { signal, step }: AdapterCall,
): Promise<App> {
  const { cc, settings } = foundry;
  step('application');
  const { spaceGuid } = await foundry.target(signal);
  const json = {
    name: appName(key),
    relationships: { space: { data: { guid: spaceGuid } } },
    lifecycle: lifecycle(foundry, buildpacks),
    environment_variables: variables,
    metadata: { labels: labelsOf(key) },
  };
  let made = false;
  const create = async () => {
    made = true;
    return read.app((await cc.send('POST', '/v3/apps', signal, { json })).body);
  };
  const app = await findOrCreate(() => findApp(foundry, key, signal), create, { settings, signal });
  if (!made) await setVariables(foundry, app, variables, signal);
  return app;
}

/** The variables are the environment's: what it no longer has is taken away. A running process sees them after its next start. */
async function setVariables(
  { cc }: Foundry,
  app: App,
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const path = `/v3/apps/${app.guid}/environment_variables`;
  const now = await cc.get(path, (body) => Object.keys((body as { var?: object } | null)?.var ?? {}), signal);
  const gone = now.filter((name) => !(name in variables)).map((name) => [name, null] as const);
  if (gone.length === 0 && Object.keys(variables).length === 0) return;
  await cc.send('PATCH', path, signal, { json: { var: { ...variables, ...Object.fromEntries(gone) } } });
}

/** Cloud Foundry sets these itself, and refuses them. */
function settable(variables: Readonly<Record<string, string>>): {
  variables: Record<string, string>;
  remarks: string[];
} {
  const isOwn = (name: string) => name === 'PORT' || name.startsWith('VCAP_') || name.startsWith('VMC_');
  const remarks = Object.keys(variables)
    .filter(isOwn)
    .map((name) => `The variable ${name} is Cloud Foundry's own and is left out.`);
  return { variables: Object.fromEntries(Object.entries(variables).filter(([name]) => !isOwn(name))), remarks };
}

async function replaceStopped(
  foundry: Foundry,
  app: App,
  droplet: string,
  size: Size,
  call: AdapterCall,
): Promise<void> {
  const { signal } = call;
  call.step('droplet');
  await explained('The processes could not be sized', signal, () => shape(foundry, app, size, signal));
  const path = `/v3/apps/${app.guid}/relationships/current_droplet`;
  await explained('The staged artefact could not be set', signal, () =>
    foundry.cc.send('PATCH', path, signal, { json: { data: { guid: droplet } } }),
  );
}

/**
 * The size first: what is too much is refused while the old version still serves, and the new processes take it over from the old ones.
 * A new version that was taken for running and then crashes is rolled back.
 */
async function replaceRunning(
  foundry: Foundry,
  app: App,
  droplet: string,
  size: Size,
  call: AdapterCall,
): Promise<void> {
  const { signal } = call;
  const old = (await webProcesses(foundry, app, signal))[0];
  const prepare = () => explained('The processes could not be sized', signal, () => shape(foundry, app, size, signal));
  try {
    await explained('The new version could not take the place of the old one', signal, async () => {
      await rollOut(foundry, app, droplet, prepare, call);
      await untilRunning(foundry, app, call);
    });
  } catch (error) {
    await rollBack(foundry, app, droplet);
    if (old) await restoreSize(foundry, app, old);
    throw error;
  }
}

/** On its own clock, as the call may have been aborted. A cancelled rollout has set the old droplet already. */
async function rollBack(foundry: Foundry, app: App, failed: string): Promise<void> {
  const { settings, cc } = foundry;
  const before = app.relationships.current_droplet;
  const signal = AbortSignal.timeout(settings.startTimeout + settings.patience);
  try {
    const now = await cc.get(`/v3/apps/${app.guid}`, read.app, signal);
    if (before === undefined || before === failed || now.relationships.current_droplet !== failed) return;
    await rollOut(foundry, app, before, async () => {}, { signal, step: () => {} });
  } catch {
    // The failure that led here is what the user must read.
  }
}

async function restoreSize(foundry: Foundry, app: App, old: Process): Promise<void> {
  const signal = AbortSignal.timeout(foundry.settings.requestTimeout);
  const { instances, memory_in_mb, disk_in_mb } = old;
  // The failure that led here is what the user must read.
  await shape(foundry, app, { instances, memory_in_mb, disk_in_mb }, signal).catch(() => {});
}

/** Size and health check of the web process, where they differ from what is wanted. */
async function shape(foundry: Foundry, app: App, size: Size, signal: AbortSignal): Promise<void> {
  const process = (await webProcesses(foundry, app, signal)).at(-1);
  if (!process) return;
  const differs = (Object.keys(size) as (keyof Size)[]).some((name) => size[name] !== process[name]);
  if (differs) await resize(foundry, app, size, signal);
  const { healthCheckPath, healthCheckTimeout } = foundry.settings;
  if (healthCheckPath === undefined && healthCheckTimeout === undefined) return;
  const data = {
    ...(healthCheckPath === undefined ? {} : { endpoint: healthCheckPath }),
    ...(healthCheckTimeout === undefined ? {} : { timeout: healthCheckTimeout / 1000 }),
  };
  const json = { health_check: { type: healthCheckPath === undefined ? 'port' : 'http', data } };
  await foundry.cc.send('PATCH', `/v3/processes/${process.guid}`, signal, { json });
}

function sizeOf({ processes, disk, environment }: DeploymentSpec, { memory }: Runtime): Size {
  const wantedDisk = disk ?? environment.disk;
  return {
    instances: processes,
    ...(memory === undefined ? {} : { memory_in_mb: memory }),
    ...(wantedDisk === undefined ? {} : { disk_in_mb: wantedDisk }),
  };
}

async function commit(
  foundry: Foundry,
  app: App,
  spec: DeploymentSpec,
  { buildpacks }: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const labels = {
    ...labelsOf(spec.key),
    [LABELS.version]: String(spec.versionId),
    [LABELS.artefact]: spec.artefact.sha256.slice(0, 40),
  };
  const json = { metadata: { labels }, lifecycle: lifecycle(foundry, buildpacks) };
  await foundry.cc.send('PATCH', `/v3/apps/${app.guid}`, signal, { json });
}

function lifecycle({ settings }: Foundry, buildpacks: readonly string[]) {
  return {
    type: 'buildpack',
    data: { buildpacks, ...(settings.stack === undefined ? {} : { stack: settings.stack }) },
  };
}

/** A first deploy that fails leaves nothing: on its own clock, as the call may have been aborted. */
async function withoutRemains(foundry: Foundry, { key }: DeploymentSpec, error: unknown): Promise<unknown> {
  const { requestTimeout, patience } = foundry.settings;
  const signal = AbortSignal.timeout(2 * (requestTimeout + patience));
  try {
    const app = await findApp(foundry, key, signal);
    // Another attempt, of a gateway that took over, may have come to the end meanwhile.
    if (!app || !isDeployed(app)) await undeploy(foundry, key, app, { signal, step: () => {} });
    return error;
  } catch {
    if (!(error instanceof AdapterError)) return error;
    const text = `${error.message} What was made, ${appName(key)}, could not be removed; deploy again or undeploy.`;
    return new AdapterError(error.kind, text, { cause: error });
  }
}
