import type { Application, Artefact, Version } from '../domain/model.js';
import { newestVersion } from '../domain/versions.js';
import type { Upload } from '../domain/views.js';
import type { Operation, StoreSession } from '../store/store.js';
import { assertOwn, ownEnvironment, readableApplication, versionOf } from './access.js';
import { assertRunnable, fetchable, findArtefact, heldArtefact, missingArtefact } from './artefact-choice.js';
import { type Accepted, type Context, perform, type Requester } from './context.js';
import { chooseInstances, ensureInstances, placeArtefact } from './deployment-plan.js';
import { assertLegal, assertNotElsewhere } from './legality.js';
import { enqueueLifecycle } from './lifecycle.js';
import { applicationLock, environmentsOf, instanceLock, instanceLocks } from './locks.js';
import { adapterOfEnvironment } from './platforms.js';
import type { DeployInput } from './runners/deploy-plan.js';

/** Where to, and what: one instance of a version, or the newest version. */
export interface Place {
  appId: number;
  envId: number;
  versionId?: number;
  instanceId?: number;
}

export interface Deployments {
  deploy(request: Requester, place: Place, upload: Upload): Promise<Application | Accepted>;
  undeploy(request: Requester, place: Place): Promise<Application | Accepted>;
}

export function createDeployments(context: Context): Deployments {
  return {
    deploy: (request, place, upload) => deploy(context, request, place, upload),
    undeploy: (request, place) => undeploy(context, request, place),
  };
}

async function deploy(
  context: Context,
  request: Requester,
  place: Place,
  upload: Upload,
): Promise<Application | Accepted> {
  const { store, operations } = context;
  const { principal, signal } = request;
  const { appId, envId } = place;
  const application = await readableApplication(store, principal, appId);
  const environment = await ownEnvironment(store, principal, envId);
  const adapter = adapterOfEnvironment(context, environment);
  const version = wantedVersion(application, place);
  if (upload.present) assertOwn(principal, application);
  if (version) await assertNow(store, application, version, place);
  if (upload.present) await operations.admit();
  // Only now: a refused request costs no upload.
  const sent = upload.present ? (await upload.read()).artefact : undefined;
  const artefact = sent ?? (version && (await presentArtefact(context, application, version, signal)));
  if (artefact) assertRunnable(artefact, environment.platform, adapter);
  else if (!version || !fetchable(version)) throw missingArtefact(appId, version?.versionId ?? 1);
  return perform(
    context,
    request,
    async (session) => {
      const now = await readableApplication(session, principal, appId);
      return enqueueDeploy(session, request, now, place, environment.platform, artefact);
    },
    () => readableApplication(store, principal, appId),
  );
}

async function presentArtefact(
  { store, artefacts }: Context,
  { tenant }: Application,
  version: Version,
  signal: AbortSignal,
) {
  return (await heldArtefact(artefacts, version)) ?? findArtefact(store, artefacts, tenant, version, signal);
}

function wantedVersion(application: Application, { versionId }: Place): Version | undefined {
  return versionId === undefined ? newestVersion(application) : versionOf(application, versionId);
}

/** What the state forbids now is refused now, unless something else is still to happen there first. */
async function assertNow(
  session: StoreSession,
  application: Application,
  version: Version,
  place: Place,
): Promise<void> {
  const { appId, envId } = place;
  const wide = await session.operations.pendingOn(applicationLock(appId));
  if (wide.some((one) => one.instanceId === undefined)) return;
  for (const instance of chooseInstances(application, version, place)) {
    const waiting = await session.operations.pendingOn(instanceLock(appId, instance.instanceId));
    if (waiting.length > 0) continue;
    assertNotElsewhere(instance, envId);
    assertLegal('deploy', instance);
  }
}

async function enqueueDeploy(
  session: StoreSession,
  { principal, requestId }: Requester,
  application: Application,
  place: Place,
  platform: string,
  artefact: Artefact | undefined,
): Promise<Operation> {
  const { appId, envId } = place;
  const wanted = wantedVersion(application, place);
  const version = artefact ? await placeArtefact(session, application, wanted, artefact) : wanted;
  if (!version) throw missingArtefact(appId, 1);
  const now = version === wanted ? application : await readableApplication(session, principal, appId);
  const instanceIds = await ensureInstances(session, now, version, place);
  const [instanceId] = instanceIds;
  const { versionId } = version;
  const { operation } = await session.operations.enqueue({
    ...{ action: place.versionId === undefined ? 'deployApplicationOnEnvironment' : 'deployApplication' },
    ...{ appId, versionId, envId, platform, requestId, tenant: principal.tenant, createdBy: principal.name },
    ...(instanceIds.length === 1 && instanceId !== undefined ? { instanceId } : {}),
    input: { appId, versionId, instanceIds, envId } satisfies DeployInput,
    locks: instanceLocks(appId, instanceIds, [envId, ...(await environmentsOf(session, application))]),
    equal: `deploy:${appId}:${versionId}:${instanceIds.join(',')}:${envId}:${artefact?.sha256 ?? 'fetched'}`,
  });
  return operation;
}

function undeploy(context: Context, request: Requester, place: Place): Promise<Application | Accepted> {
  const { principal } = request;
  const { appId, envId, versionId, instanceId } = place;
  const one = versionId !== undefined && instanceId !== undefined;
  return perform(
    context,
    request,
    async (session) => {
      const application = await readableApplication(session, principal, appId);
      await ownEnvironment(session, principal, envId);
      const action = one ? 'undeployApplication' : 'undeployApplicationFromEnvironment';
      const selection = one
        ? ({ of: 'instance', appId, versionId, instanceId, envId } as const)
        : ({ of: 'applicationOnEnvironment', appId, envId } as const);
      return enqueueLifecycle(session, request, action, { verb: 'undeploy', selection }, application);
    },
    () => readableApplication(context.store, principal, appId),
  );
}
