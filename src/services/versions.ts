import { Fault } from '../domain/errors.js';
import type { VersionDescriptor } from '../domain/manifest.js';
import type { Artefact, Version } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { Download, Listing, OperationResponse, Upload } from '../domain/views.js';
import { ownApplication, readableApplication, versionOf } from './access.js';
import { locationKind, named } from './artefact-choice.js';
import { type Accepted, type Context, perform, type Requester } from './context.js';
import { cancelWork } from './deletions.js';
import { environmentsOf, instanceLocks } from './locks.js';
import type { DeletionInput } from './runners/deletion.js';
import { newVersion, remarkLocations } from './version-descriptor.js';

export interface Versions {
  /** From a descriptor, with the artefact as a file of the upload, or fetched from its location. */
  create(principal: Principal, appId: number, upload: Upload, signal: AbortSignal): Promise<Version>;
  list(principal: Principal, appId: number): Promise<Listing<Version>>;
  describe(principal: Principal, appId: number, versionId: number): Promise<Version>;
  delete(request: Requester, appId: number, versionId: number): Promise<OperationResponse | Accepted>;
  artefacts(principal: Principal, appId: number, versionId: number): Promise<Listing<Artefact>>;
  download(principal: Principal, appId: number, versionId: number, name: string): Promise<Download>;
}

export function createVersions(context: Context): Versions {
  const { store, artefacts } = context;
  const find = async (principal: Principal, appId: number, versionId: number) =>
    versionOf(await readableApplication(store, principal, appId), versionId);
  const artefactsOf = async (principal: Principal, appId: number, versionId: number) =>
    (await find(principal, appId, versionId)).deployables.flatMap((one) => one.artefact ?? []);
  return {
    create: (principal, appId, upload, signal) => create(context, principal, appId, upload, signal),
    list: async (principal, appId) => ({ items: (await readableApplication(store, principal, appId)).versions }),
    describe: find,
    delete: (request, appId, versionId) => remove(context, request, appId, versionId),
    artefacts: async (principal, appId, versionId) => ({ items: await artefactsOf(principal, appId, versionId) }),
    async download(principal, appId, versionId, name) {
      const artefact = (await artefactsOf(principal, appId, versionId)).find((one) => one.name === name);
      if (artefact) return artefacts.download(artefact);
      throw new Fault(
        'NotFound',
        `Version ${versionId} of application ${appId} has no artefact ${JSON.stringify(name)}.`,
      );
    },
  };
}

async function create(
  context: Context,
  principal: Principal,
  appId: number,
  upload: Upload,
  signal: AbortSignal,
): Promise<Version> {
  const { store, artefacts } = context;
  await ownApplication(store, principal, appId);
  const { manifest, artefact: sent } = upload.present ? await upload.read() : {};
  const described = manifest?.application?.versions[0];
  if (!described && !sent) {
    throw new Fault(
      'MissingParameter',
      'A version needs a descriptor with a paas_application_version (or paas_version), or a file, or both.',
    );
  }
  const descriptor: VersionDescriptor = described ?? { deployables: [], instances: [] };
  const artefact = sent ?? (await fetchLocated(context, descriptor, signal));
  const version = await newVersion(store, artefacts, principal.tenant, descriptor);
  return store.transaction(async (session) => {
    const application = await ownApplication(session, principal, appId);
    const made = await session.applications.addVersion(application.appId, version);
    if (artefact) {
      const deployable = made.deployables.find((one) => one.contentType === 'artifact');
      await session.applications.setArtefact(appId, made.versionId, named(artefact, deployable));
    }
    const stored = versionOf(await ownApplication(session, principal, appId), made.versionId);
    await remarkLocations(session, stored);
    return versionOf(await ownApplication(session, principal, appId), made.versionId);
  });
}

/** The first deployable's location, when it is a URL: the client learns at once when nothing can be had there. */
async function fetchLocated(
  { artefacts }: Context,
  { deployables }: VersionDescriptor,
  signal: AbortSignal,
): Promise<Artefact | undefined> {
  const deployable = deployables.find((one) => one.contentType === 'artifact');
  if (!deployable?.location || locationKind(deployable.location) !== 'url') return undefined;
  return artefacts.fetch(deployable.location, deployable.name || undefined, signal);
}

function remove(context: Context, request: Requester, appId: number, versionId: number) {
  const { principal, requestId } = request;
  return perform(
    context,
    request,
    async (session, cancel) => {
      const application = await ownApplication(session, principal, appId);
      const { instances } = versionOf(application, versionId);
      const numbers = instances.map((one) => one.instanceId);
      const locks = instanceLocks(appId, numbers, await environmentsOf(session, application));
      await cancelWork(session, cancel, appId, (operation) => operation.versionId === versionId);
      const { operation } = await session.operations.enqueue({
        ...{ action: 'deleteApplicationVersion', locks, appId, versionId, requestId },
        ...{ tenant: principal.tenant, createdBy: principal.name },
        input: { appIds: [appId], versionId } satisfies DeletionInput,
        equal: `deleteApplicationVersion:${appId}:${versionId}`,
      });
      return operation;
    },
    async (): Promise<OperationResponse> => ({
      value: `The version with ID ${versionId} of application ${appId} was deleted.`,
    }),
  );
}
