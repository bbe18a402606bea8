import type { ArtefactSource, DeploymentSpec, PlatformAdapter } from '../../../adapters/adapter.js';
import { Fault } from '../../domain/errors.js';
import type { Application, Artefact, Environment, Instance } from '../../domain/model.js';
import type { StoreSession } from '../../store/store.js';
import { instanceOf, versionOf } from '../access.js';
import { assertRunnable, fetchable, missingArtefact } from '../artefact-choice.js';
import type { Artefacts } from '../artefacts.js';
import { assertLegal, assertNotElsewhere } from '../legality.js';
import type { Run, Runner } from '../operations/runner.js';
import { adapterOfEnvironment } from '../platforms.js';
import { artefactOf, deploymentKey, environmentSpec } from '../specs.js';
import { conclude, type DeployInput, type DeployParts, type Prepared, stepsOf } from './deploy-plan.js';
import { settleDeploys } from './deploy-settling.js';

/** Deploys instances of a version, one after the other; the first that fails ends the task, those before it stay deployed. */
export function deployRunner(parts: DeployParts): Runner {
  return {
    async run(run) {
      const input = run.operation.input as DeployInput;
      const { instanceIds } = input;
      const place = await placeOf(parts, run, input);
      for (const instanceId of instanceIds) {
        const steps = stepsOf(instanceIds, instanceId);
        const prepared = await run.commit(steps.prepare, (session) => prepare(session, input, instanceId));
        const verb = instanceId === instanceIds.at(-1) ? 'last' : 'step';
        await run[verb](
          steps.deploy,
          async (call) => place.adapter.deploy(await specOf(parts, input, instanceId, prepared, place), call),
          (session, report) => conclude(session, input, instanceId, prepared, report),
        );
      }
    },
    settle: (settling, fault) => settleDeploys(parts, settling, fault),
  };
}

/** What runs, and where. Locked until the operation ends, but for the application's name. */
interface Located {
  application: Application;
  environment: Environment;
  adapter: PlatformAdapter;
  artefact: Artefact;
}

/** A location that is a URL is fetched once, and stays with the version. */
async function placeOf(parts: DeployParts, run: Run, input: DeployInput): Promise<Located> {
  const { store, artefacts } = parts;
  const { application, environment } = await load(store, input);
  const version = versionOf(application, input.versionId);
  const location = fetchable(version);
  let artefact = artefactOf(version);
  if (!artefact && location) {
    artefact = await run.step(
      'fetch',
      (call) => artefacts.fetch(location.url, location.name, call.signal),
      (session, fetched) => session.applications.setArtefact(input.appId, input.versionId, fetched),
    );
  }
  if (!artefact) throw missingArtefact(input.appId, input.versionId);
  const adapter = adapterOfEnvironment(parts, environment);
  assertRunnable(artefact, environment.platform, adapter);
  return { application, environment, adapter, artefact };
}

async function prepare(session: StoreSession, input: DeployInput, instanceId: number): Promise<Prepared> {
  const { application } = await load(session, input);
  const instance = instanceOf(application, input.versionId, instanceId);
  assertNotElsewhere(instance, input.envId);
  assertLegal('deploy', instance);
  const holder = holderOf(application, input, instanceId);
  await session.applications.updateInstance(instance, { state: 'DEPLOYING', reason: null, envId: input.envId });
  const ref = holder?.ref ?? instance.ref;
  return {
    first: !holder && instance.envId === undefined,
    before: instance.state,
    ...(holder ? { holder: holder.versionId } : {}),
    ...(ref === undefined ? {} : { ref }),
  };
}

function holderOf(
  { versions }: Application,
  { versionId, envId }: DeployInput,
  instanceId: number,
): Instance | undefined {
  return versions
    .filter((version) => version.versionId !== versionId)
    .flatMap((version) => version.instances)
    .find((one) => one.instanceId === instanceId && one.envId === envId);
}

async function specOf(
  parts: DeployParts,
  input: DeployInput,
  instanceId: number,
  { ref }: Prepared,
  { application, environment, artefact }: Located,
): Promise<DeploymentSpec> {
  const instance = instanceOf(application, input.versionId, instanceId);
  const memory = instance.memory ?? environment.memory;
  const disk = instance.disk ?? environment.disk;
  return {
    key: deploymentKey(parts.installation, { ...instance, ...(ref === undefined ? {} : { ref }) }, input.envId),
    versionId: input.versionId,
    applicationName: application.name,
    environment: environmentSpec(parts.installation, environment),
    artefact: await sourceOf(parts.artefacts, artefact),
    processes: Math.max(1, instance.processes),
    ...(memory === undefined ? {} : { memory }),
    ...(disk === undefined ? {} : { disk }),
  };
}

async function sourceOf(artefacts: Artefacts, artefact: Artefact): Promise<ArtefactSource> {
  const download = await artefacts.download(artefact);
  return { ...artefact, open: () => download.open() };
}

async function load(
  session: StoreSession,
  { appId, envId }: DeployInput,
): Promise<{ application: Application; environment: Environment }> {
  const application = await session.applications.get(appId);
  if (!application) throw new Fault('NotFound', `There is no application ${appId}.`);
  const environment = await session.environments.get(envId);
  if (!environment) throw new Fault('NotFound', `There is no environment ${envId}.`);
  return { application, environment };
}
