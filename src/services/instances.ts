import type { Manifest } from '../domain/manifest.js';
import type { Instance } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { Listing, OperationResponse } from '../domain/views.js';
import { assertMayRun, instanceOf, ownApplication, readableApplication, versionOf } from './access.js';
import { type Accepted, type Context, perform, type Requester } from './context.js';
import { cancelWork } from './deletions.js';
import { enqueueLifecycle } from './lifecycle.js';
import { environmentsOf, instanceLocks } from './locks.js';
import type { DeletionInput } from './runners/deletion.js';
import { newInstance } from './version-descriptor.js';
import type { Watcher } from './watcher.js';

export interface Instances {
  /** From the descriptor's first instance; without one, an instance of default values. */
  create(principal: Principal, appId: number, versionId: number, manifest: Manifest): Promise<Instance>;
  list(principal: Principal, appId: number, versionId: number): Promise<Listing<Instance>>;
  describe(principal: Principal, key: InstanceAddress, fresh?: boolean): Promise<Instance>;
  delete(request: Requester, key: InstanceAddress): Promise<OperationResponse | Accepted>;
  act(request: Requester, key: InstanceAddress, verb: 'start' | 'stop' | 'restart'): Promise<Instance | Accepted>;
}

export interface InstanceAddress {
  appId: number;
  versionId: number;
  instanceId: number;
}

const ACTIONS = {
  start: 'startApplicationVersionInstance',
  stop: 'stopApplicationVersionInstance',
  restart: 'restartApplicationVersionInstance',
} as const;

export function createInstances(context: Context, watcher: Watcher): Instances {
  const { store } = context;
  const find = async (principal: Principal, { appId, versionId, instanceId }: InstanceAddress) =>
    instanceOf(await readableApplication(store, principal, appId), versionId, instanceId);
  return {
    create: (principal, appId, versionId, manifest) =>
      store.transaction(async (session) => {
        const version = versionOf(await ownApplication(session, principal, appId), versionId);
        const descriptor = manifest.application?.versions[0]?.instances[0] ?? {};
        return session.applications.addInstance(
          appId,
          versionId,
          newInstance(descriptor, version.instances.length + 1),
        );
      }),
    list: async (principal, appId, versionId) => ({
      items: versionOf(await readableApplication(store, principal, appId), versionId).instances,
    }),
    async describe(principal, key, fresh = false) {
      const instance = await find(principal, key);
      if (!fresh || instance.envId === undefined) return instance;
      await watcher.lookAt([instance.envId]);
      return find(principal, key);
    },
    delete: (request, key) => remove(context, request, key),
    act: (request, key, verb) =>
      perform(
        context,
        request,
        async (session) => {
          const application = await readableApplication(session, request.principal, key.appId);
          const instance = instanceOf(application, key.versionId, key.instanceId);
          await assertMayRun(session, request.principal, application, instance);
          return enqueueLifecycle(
            session,
            request,
            ACTIONS[verb],
            { verb, selection: { of: 'instance', ...key } },
            application,
          );
        },
        () => find(request.principal, key),
      ),
  };
}

function remove(context: Context, request: Requester, key: InstanceAddress) {
  const { principal, requestId } = request;
  const { appId, versionId, instanceId } = key;
  return perform(
    context,
    request,
    async (session, cancel) => {
      const application = await ownApplication(session, principal, appId);
      instanceOf(application, versionId, instanceId);
      const locks = instanceLocks(appId, [instanceId], await environmentsOf(session, application));
      await cancelWork(
        session,
        cancel,
        appId,
        (operation) => operation.versionId === versionId && operation.instanceId === instanceId,
      );
      const { operation } = await session.operations.enqueue({
        ...{ action: 'deleteApplicationVersionInstance', locks, ...key, requestId },
        ...{ tenant: principal.tenant, createdBy: principal.name },
        input: { appIds: [appId], versionId, instanceId } satisfies DeletionInput,
        equal: `deleteApplicationVersionInstance:${appId}:${versionId}:${instanceId}`,
      });
      return operation;
    },
    async (): Promise<OperationResponse> => ({
      value: `The instance with ID ${instanceId} of version ${versionId} of application ${appId} was deleted.`,
    }),
  );
}
