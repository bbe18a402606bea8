import { Fault } from '../domain/errors.js';
import type { EnvironmentDescriptor, Manifest } from '../domain/manifest.js';
import type { Environment, Instance } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { Listing, OperationResponse } from '../domain/views.js';
import type { NewOperation, Paging } from '../store/store.js';
import { ownEnvironment, scopeOf } from './access.js';
import { type Accepted, type Context, perform, type Requester } from './context.js';
import { enqueueLifecycle } from './lifecycle.js';
import { listing } from './listing.js';
import { environmentLock, environmentLocks } from './locks.js';
import { adapterOf, choosePlatform } from './platforms.js';
import { type EnvironmentChanges, type EnvironmentInput, occupied } from './runners/environments.js';
import type { Watcher } from './watcher.js';

export interface Environments {
  /** `base`: the platform of the base under which the request came. */
  create(request: Requester, base: string | undefined, manifest: Manifest): Promise<Environment | Accepted>;
  list(principal: Principal, paging?: Paging): Promise<Listing<Environment>>;
  describe(principal: Principal, envId: number, fresh?: boolean): Promise<Environment>;
  update(request: Requester, envId: number, manifest: Manifest): Promise<Environment | Accepted>;
  delete(request: Requester, envId: number): Promise<OperationResponse | Accepted>;
  /** Every instance that is deployed on it. */
  act(request: Requester, envId: number, verb: 'start' | 'stop' | 'restart'): Promise<Environment | Accepted>;
  deployed(principal: Principal, envId: number, fresh?: boolean): Promise<Listing<Instance>>;
}

const ACTIONS = { start: 'startEnvironment', stop: 'stopEnvironment', restart: 'restartEnvironment' } as const;

export function createEnvironments(context: Context, watcher: Watcher): Environments {
  const { store } = context;
  const find = async (principal: Principal, envId: number, fresh = false): Promise<Environment> => {
    const environment = await ownEnvironment(store, principal, envId);
    if (!fresh) return environment;
    await watcher.lookAt([envId]);
    return ownEnvironment(store, principal, envId);
  };
  return {
    create: (request, base, manifest) => create(context, request, base, manifest),
    list: (principal, paging) => listing((page) => store.environments.list(scopeOf(principal), page), paging),
    describe: find,
    update: (request, envId, manifest) =>
      perform(
        context,
        request,
        async (session) => {
          const environment = await ownEnvironment(session, request.principal, envId);
          const changes = changesOf(described(manifest));
          const stored = await session.operations.enqueue(
            operation(request, 'updateEnvironment', environment, { changes }),
          );
          return stored.operation;
        },
        () => find(request.principal, envId),
      ),
    delete: (request, envId) => remove(context, request, envId),
    act: (request, envId, verb) =>
      perform(
        context,
        request,
        async (session) => {
          await ownEnvironment(session, request.principal, envId);
          return enqueueLifecycle(session, request, ACTIONS[verb], { verb, selection: { of: 'environment', envId } });
        },
        () => find(request.principal, envId),
      ),
    async deployed(principal, envId, fresh) {
      await find(principal, envId, fresh);
      return { items: await store.applications.deployed({ envId }) };
    },
  };
}

async function create(context: Context, request: Requester, base: string | undefined, manifest: Manifest) {
  const descriptor = described(manifest);
  const { principal } = request;
  const platform = choosePlatform(context, base, descriptor.provider);
  adapterOf(context, platform);
  let envId = 0;
  return perform(
    context,
    request,
    async (session) => {
      const environment = await session.environments.create({
        ...changesOf(descriptor),
        ...{ name: nameOf(manifest, descriptor), nodes: descriptor.nodes, variables: descriptor.variables },
        ...{ platform, tenant: principal.tenant, createdBy: principal.name },
        ...(descriptor.provider === undefined ? {} : { provider: descriptor.provider }),
      });
      envId = environment.envId;
      const stored = await session.operations.enqueue(operation(request, 'createEnvironment', environment));
      return stored.operation;
    },
    () => ownEnvironment(context.store, principal, envId),
  );
}

function remove(context: Context, request: Requester, envId: number): Promise<OperationResponse | Accepted> {
  return perform(
    context,
    request,
    async (session, cancel) => {
      const environment = await ownEnvironment(session, request.principal, envId);
      const waiting = await session.operations.pendingOn(environmentLock(envId));
      const [occupant] = await session.applications.deployed({ envId });
      // What waits may undeploy it first; then the operation itself asks again.
      if (occupant && waiting.length === 0) throw occupied(envId, occupant.appId);
      for (const one of waiting) {
        if (one.action === 'createEnvironment' || one.action === 'updateEnvironment') await cancel(one.taskId);
      }
      // Its row is gone when its creation was cancelled before it began.
      const equal = `deleteEnvironment:${envId}`;
      const stored = await session.operations.enqueue({
        ...operation(request, 'deleteEnvironment', environment),
        equal,
      });
      return stored.operation;
    },
    async (): Promise<OperationResponse> => ({ value: `The environment with ID ${envId} was deleted.` }),
  );
}

function operation(
  { principal, requestId }: Requester,
  action: string,
  { envId, platform }: Environment,
  more: { changes?: EnvironmentChanges } = {},
): NewOperation {
  return {
    ...{ action, envId, platform, requestId, tenant: principal.tenant, createdBy: principal.name },
    input: { envId, ...more } satisfies EnvironmentInput,
    locks: environmentLocks(envId),
  };
}

function described({ environment }: Manifest): EnvironmentDescriptor {
  if (environment) return environment;
  throw new Fault('MissingParameter', 'The descriptor holds no environment: it needs a paas_environment.');
}

function nameOf({ name }: Manifest, descriptor: EnvironmentDescriptor): string {
  return descriptor.name || descriptor.template || name || 'Environment';
}

/** What the descriptor tells; no nodes and no variables leave those that there are. */
function changesOf({
  name,
  description,
  template,
  memory,
  disk,
  nodes,
  variables,
}: EnvironmentDescriptor): EnvironmentChanges {
  return {
    ...(name ? { name } : {}),
    ...(description === undefined ? {} : { description }),
    ...(template === undefined ? {} : { template }),
    ...(memory === undefined ? {} : { memory }),
    ...(disk === undefined ? {} : { disk }),
    ...(nodes.length === 0 ? {} : { nodes }),
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
  };
}
