import type { EnvironmentNode } from '../../src/domain/model.js';
import { type AdapterCall, AdapterError, type EnvironmentKey, type EnvironmentSpec } from '../adapter.js';
import { type Foundry, findOrCreate, finishJob } from './client.js';
import { hasStatus } from './errors.js';
import { type ChosenPlan, choosePlan, offeringsOf } from './marketplace.js';
import { carries, environmentLabels, LABELS, selector, serviceName, slug } from './names.js';
import { type App, type Binding, read, type ServiceInstance } from './resources.js';
import { waitFor } from './wait.js';

/** The service instances that an environment's nodes need, made where they are missing, and ready to be bound. */
export async function ensureServices(
  foundry: Foundry,
  environment: EnvironmentSpec,
  call: AdapterCall,
): Promise<{ instances: ServiceInstance[]; remarks: string[] }> {
  const wanted = nodesOf(environment);
  if (wanted.length === 0) return { instances: [], remarks: [] };
  call.step('services');
  const there = await servicesOf(foundry, environment, call.signal);
  const remarks = there.filter((one) => !wanted.some(({ id }) => one.metadata[LABELS.node] === id)).map(leftOver);
  const missing = wanted.filter(({ id }) => !there.some((one) => one.metadata[LABELS.node] === id && !hasFailed(one)));
  const offerings = missing.length > 0 ? await offeringsOf(foundry, call.signal) : [];
  // Everything is chosen before anything is made.
  const plans: { id: string; chosen: ChosenPlan }[] = [];
  for (const { id, node } of missing) {
    const chosen = await choosePlan(foundry, node, offerings, call.signal);
    if (chosen) plans.push({ id, chosen });
    else
      remarks.push(
        `The ${node.contentType} "${node.name}" is left out: the configuration of ${foundry.platform} says so.`,
      );
  }
  const made = await makeAll(foundry, environment, plans, call);
  const kept = there.filter(
    (one) => !made.some(({ name }) => name === one.name) && wanted.some(({ id }) => one.metadata[LABELS.node] === id),
  );
  const ready = await Promise.all(kept.map((one) => untilReady(foundry, one, call.signal)));
  return { instances: [...ready, ...made], remarks: [...remarks, ...plans.flatMap(({ chosen }) => chosen.remarks)] };
}

async function makeAll(
  foundry: Foundry,
  environment: EnvironmentSpec,
  plans: readonly { id: string; chosen: ChosenPlan }[],
  call: AdapterCall,
): Promise<ServiceInstance[]> {
  const results = await Promise.allSettled(plans.map(({ id, chosen }) => make(foundry, environment, id, chosen, call)));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  // What this call made is taken back; what was there before is not.
  const names = plans.map(({ id }) => serviceName(environment, id));
  const limit = AbortSignal.timeout(foundry.settings.requestTimeout + foundry.settings.patience);
  const left = await servicesOf(foundry, environment, limit).catch(() => []);
  await Promise.allSettled(left.filter(({ name }) => names.includes(name)).map((one) => remove(foundry, one, limit)));
  throw failed.reason;
}

async function make(
  foundry: Foundry,
  environment: EnvironmentSpec,
  id: string,
  { plan, offering, parameters }: ChosenPlan,
  { signal, step }: AdapterCall,
): Promise<ServiceInstance> {
  const { cc, settings } = foundry;
  const { spaceGuid } = await foundry.target(signal);
  const name = serviceName(environment, id);
  step('services', { text: `making ${id} from ${offering}, plan ${plan.name}` });
  const find = async () => {
    const found = (await servicesOf(foundry, environment, signal)).find((one) => one.name === name);
    return found && !hasFailed(found) ? found : undefined;
  };
  const json = {
    type: 'managed',
    name,
    relationships: { space: { data: { guid: spaceGuid } }, service_plan: { data: { guid: plan.guid } } },
    metadata: { labels: { ...environmentLabels(environment), [LABELS.node]: id } },
    ...(parameters ? { parameters } : {}),
  };
  const made = await findOrCreate(
    find,
    async () => {
      // A failed instance of this name is replaced by the platform.
      const { job } = await cc.send('POST', '/v3/service_instances', signal, { json });
      const failed = `The service ${id} could not be made from ${offering}`;
      if (job !== undefined)
        await finishJob(foundry, job, { what: `${id} to be made`, failed, limit: settings.serviceTimeout }, signal);
      // The job does not tell which instance it made.
      const found = await find();
      if (!found)
        throw new AdapterError('unavailable', `${failed}: the platform says that it is made, and shows it nowhere.`);
      return found;
    },
    { settings, signal },
  );
  return await untilReady(foundry, made, signal);
}

/** Deletes all service instances of an environment, with their bindings, and waits until they are gone. */
export async function deleteServices(
  foundry: Foundry,
  environment: EnvironmentKey,
  { signal, step }: AdapterCall,
): Promise<void> {
  const all = await servicesOf(foundry, environment, signal);
  if (all.length > 0) step('services');
  const results = await Promise.allSettled(all.map((one) => remove(foundry, one, signal)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function remove(foundry: Foundry, { guid, name }: ServiceInstance, signal: AbortSignal): Promise<void> {
  try {
    const { job } = await foundry.cc.send('DELETE', `/v3/service_instances/${guid}`, signal);
    const waiting = {
      what: `${name} to be deleted`,
      failed: `The service ${name} could not be deleted`,
      limit: foundry.settings.serviceTimeout,
    };
    if (job !== undefined) await finishJob(foundry, job, waiting, signal);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

/** Binds an app to service instances: it sees their credentials after its next start. What is bound already stays as it is. */
export async function bindServices(
  foundry: Foundry,
  app: App,
  instances: readonly ServiceInstance[],
  call: AdapterCall,
): Promise<void> {
  if (instances.length === 0) return;
  call.step('services', { text: `binding ${instances.map(({ name }) => name).join(', ')}` });
  await Promise.all(instances.map((instance) => bind(foundry, app, instance, call.signal)));
}

async function bind(foundry: Foundry, app: App, instance: ServiceInstance, signal: AbortSignal): Promise<void> {
  const { cc, settings } = foundry;
  const find = async (): Promise<Binding | undefined> => {
    const query = { app_guids: app.guid, service_instance_guids: instance.guid, type: 'app' };
    return (await cc.first('/v3/service_credential_bindings', read.binding, signal, query))[0];
  };
  const failed = `The service ${instance.name} could not be bound`;
  const waiting = { failed, limit: settings.serviceTimeout };
  const before = await find();
  // A refused binding stays, and stands in the way of the next one.
  if (before?.last_operation?.state === 'failed') {
    const { job } = await cc.send('DELETE', `/v3/service_credential_bindings/${before.guid}`, signal);
    if (job !== undefined)
      await finishJob(foundry, job, { ...waiting, what: 'a failed binding to be deleted' }, signal);
  }
  const json = {
    type: 'app',
    relationships: { service_instance: { data: { guid: instance.guid } }, app: { data: { guid: app.guid } } },
  };
  await findOrCreate(
    find,
    async () => {
      const { job } = await cc.send('POST', '/v3/service_credential_bindings', signal, { json });
      if (job !== undefined)
        await finishJob(foundry, job, { ...waiting, what: `${instance.name} to be bound` }, signal);
      return (await find()) as Binding;
    },
    { settings, signal },
  );
  const end = {
    what: `${instance.name} to be bound`,
    limit: settings.serviceTimeout,
    interval: settings.pollInterval,
    signal,
  };
  await waitFor(end, async () => {
    const { state = 'succeeded', description } = (await find())?.last_operation ?? {};
    if (state === 'failed')
      throw new AdapterError('rejected', `${failed}: ${description ?? 'the broker gives no reason'}`);
    return state === 'succeeded' ? true : undefined;
  });
}

export async function servicesOf(
  { cc, target }: Foundry,
  environment: EnvironmentKey,
  signal: AbortSignal,
): Promise<ServiceInstance[]> {
  const { spaceGuid } = await target(signal);
  const wanted = environmentLabels(environment);
  const query = { space_guids: spaceGuid, label_selector: selector(wanted), per_page: 50 };
  const found = await cc.list('/v3/service_instances', read.serviceInstance, signal, query);
  return found.filter((one) => carries(one.metadata, wanted));
}

async function untilReady(
  { cc, settings }: Foundry,
  instance: ServiceInstance,
  signal: AbortSignal,
): Promise<ServiceInstance> {
  const waiting = {
    what: `${instance.name} to be made`,
    limit: settings.serviceTimeout,
    interval: settings.pollInterval,
    signal,
  };
  let now: ServiceInstance | undefined = instance;
  return await waitFor(waiting, async () => {
    now ??= await cc.get(`/v3/service_instances/${instance.guid}`, read.serviceInstance, signal);
    const { state, type, description } = now.last_operation ?? { state: 'succeeded', type: 'create' };
    if (state === 'failed' && type === 'create')
      throw new AdapterError(
        'rejected',
        `The service ${instance.name} could not be made: ${description ?? 'the broker gives no reason'}`,
      );
    const ready = state === 'succeeded' || (state === 'failed' && type !== 'create') ? now : undefined;
    now = undefined;
    return ready;
  });
}

function hasFailed({ last_operation: last }: ServiceInstance): boolean {
  return last?.type === 'create' && last.state === 'failed';
}

/** Databases and services with an identifier each: the same at every attempt, two of one name are numbered. */
function nodesOf({ nodes }: EnvironmentSpec): { id: string; node: EnvironmentNode }[] {
  const counts = new Map<string, number>();
  return nodes
    .filter(({ contentType }) => contentType === 'database' || contentType === 'service')
    .map((node) => {
      const name = slug(node.name).slice(0, 20) || node.contentType;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return { id: count === 1 ? name : `${name}-${count}`, node };
    });
}

function leftOver({ name }: ServiceInstance): string {
  return `The service ${name} is no longer described; it is kept, with its data, until the environment is deleted.`;
}
