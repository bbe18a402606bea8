import { Fault } from '../domain/errors.js';
import type { Manifest, VersionDescriptor } from '../domain/manifest.js';
import type { Application } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { ApplicationSummary, Listing, OperationResponse } from '../domain/views.js';
import type { NewVersion, Operation, Paging, StoreSession } from '../store/store.js';
import { ownApplication, readableApplication, scopeOf } from './access.js';
import { type Accepted, type Context, perform, type Requester } from './context.js';
import { isCancellable } from './deletions.js';
import { listing } from './listing.js';
import { applicationsLocks, environmentsOf } from './locks.js';
import type { Cancel } from './operations/operations.js';
import type { DeletionInput } from './runners/deletion.js';
import { newVersion, remarkLocations } from './version-descriptor.js';
import type { Watcher } from './watcher.js';

export interface Applications {
  /** With the versions and instances that the descriptor holds. `multitenant` wins over the descriptor's. */
  create(principal: Principal, manifest: Manifest, multitenant?: string): Promise<Application>;
  list(principal: Principal, paging?: Paging): Promise<Listing<ApplicationSummary>>;
  describe(principal: Principal, appId: number, fresh?: boolean): Promise<Application>;
  update(principal: Principal, appId: number, manifest: Manifest, multitenant?: string): Promise<Application>;
  delete(request: Requester, appId: number): Promise<OperationResponse | Accepted>;
  /** All of the caller's own tenant, an admin's too. */
  deleteAll(request: Requester): Promise<OperationResponse | Accepted>;
}

export function createApplications(context: Context, watcher: Watcher): Applications {
  const { store } = context;
  return {
    create: (principal, manifest, multitenant) => create(context, principal, manifest, readMultitenant(multitenant)),
    list: (principal, paging) => listing((page) => store.applications.list(scopeOf(principal), page), paging),
    async describe(principal, appId, fresh = false) {
      const application = await readableApplication(store, principal, appId);
      if (!fresh) return application;
      await watcher.lookAt(await environmentsOf(store, application));
      return readableApplication(store, principal, appId);
    },
    update: (principal, appId, manifest, multitenant) =>
      store.transaction(async (session) => {
        const application = await ownApplication(session, principal, appId);
        const changes = changesOf(manifest, readMultitenant(multitenant));
        await session.applications.update(appId, changes);
        return { ...application, ...changes };
      }),
    delete: (request, appId) =>
      perform(
        context,
        request,
        async (session, cancel) => {
          await ownApplication(session, request.principal, appId);
          return enqueueDeletion(session, cancel, request, [appId]);
        },
        async () => ({ value: `The application with ID ${appId} was deleted.` }),
      ),
    async deleteAll(request) {
      const { tenant } = request.principal;
      const own: number[] = [];
      for await (const summary of store.applications.list({ tenant }))
        if (summary.tenant === tenant) own.push(summary.appId);
      return perform(
        context,
        request,
        (session, cancel) => enqueueDeletion(session, cancel, request, own, { all: true }),
        async () => ({ value: `All applications of tenant ${tenant} were deleted (${own.length}).` }),
      );
    },
  };
}

async function create(
  { store, artefacts }: Context,
  principal: Principal,
  { application: descriptor, name, description }: Manifest,
  multitenant: boolean | undefined,
): Promise<Application> {
  const named = descriptor?.name ?? name;
  if (!named) {
    throw new Fault(
      'MissingParameter',
      'The descriptor names no application: it needs a paas_application with a name.',
    );
  }
  const text = descriptor?.description ?? description;
  const versions: VersionDescriptor[] = descriptor?.versions ?? [];
  const prepared: NewVersion[] = [];
  for (const version of versions) prepared.push(await newVersion(store, artefacts, principal.tenant, version));
  const appId = await store.transaction(async (session) => {
    const made = await session.applications.create({
      name: named,
      tenant: principal.tenant,
      createdBy: principal.name,
      multitenant: multitenant ?? descriptor?.multitenant ?? false,
      versions: prepared,
      ...(text === undefined ? {} : { description: text }),
      ...(descriptor?.environmentName === undefined ? {} : { environmentName: descriptor.environmentName }),
    });
    for (const version of made.versions) await remarkLocations(session, version);
    return made.appId;
  });
  return readableApplication(store, principal, appId);
}

function changesOf({ application, name, description }: Manifest, multitenant: boolean | undefined) {
  const named = application?.name ?? name;
  const text = application?.description ?? description;
  const shared = multitenant ?? application?.multitenant;
  return {
    ...(named ? { name: named } : {}),
    ...(text === undefined ? {} : { description: text }),
    ...(shared === undefined ? {} : { multitenant: shared }),
    ...(application?.environmentName === undefined ? {} : { environmentName: application.environmentName }),
  };
}

function readMultitenant(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^(yes|true|1)$/i.test(text)) return true;
  if (/^(no|false|0)$/i.test(text)) return false;
  throw new Fault('InvalidValue', `multitenant is yes or no, not "${text}".`);
}

/** Cancels what runs on the applications, and stores the operation that deletes them when that has ended. */
async function enqueueDeletion(
  session: StoreSession,
  cancel: Cancel,
  { principal, requestId }: Requester,
  appIds: readonly number[],
  { all = false } = {},
): Promise<Operation> {
  const meant = new Set(appIds);
  const isMeant = ({ appId }: { appId?: number }) => appId !== undefined && meant.has(appId);
  const running = (await session.operations.unfinished()).filter(isMeant);
  const deployed = await session.applications.deployed({ appIds });
  const envIds = [...deployed, ...running].flatMap(({ envId }) => envId ?? []);
  for (const one of running.filter(isCancellable)) await cancel(one.taskId);
  const [appId] = appIds;
  const { operation } = await session.operations.enqueue({
    ...{ action: all ? 'deleteApplications' : 'deleteApplication', requestId },
    ...{ tenant: principal.tenant, createdBy: principal.name },
    input: { appIds: [...appIds] } satisfies DeletionInput,
    locks: applicationsLocks(appIds, envIds),
    ...(all || appId === undefined ? {} : { appId, equal: `deleteApplication:${appId}` }),
  });
  return operation;
}
