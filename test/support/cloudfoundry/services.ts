import type { Documents } from './documents.js';
import { Refusal, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationshipFault, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import { failure, operation, visible } from './marketplace.js';
import type { Job, Plan, ServiceInstance, User } from './objects.js';
import { serviceDocuments } from './service-documents.js';
import { remove, type World } from './world.js';

/** Service instances. */
export function serviceRoutes(world: World, documents: Documents): Routes {
  const shown = serviceDocuments(documents);
  const find = ({ params, user }: Call) =>
    world.see(world.services, params['guid'] ?? '', user, 'Service instance', (one) => one.space);
  const writable = (call: Call) => {
    const found = find(call);
    world.mayWrite(call.user, found.space);
    return found;
  };
  const { accepted } = documents;

  function provision(instance: ServiceInstance, plan: Plan): Job {
    const behaviour = plan.broker.provision;
    const link = { service_instances: `/v3/service_instances/${instance.guid}` };
    const tooBig =
      Number(instance.parameters['size_gb'] ?? 0) > 100
        ? 'Service broker error: size_gb may be at most 100'
        : undefined;
    const refused = world.brokerGone
      ? 'HTTPClient::KeepAliveDisconnected: '
      : (tooBig ??
        (typeof behaviour === 'object' && 'fails' in behaviour
          ? `Service broker error: ${behaviour.fails}`
          : undefined));
    const job = world.job('service_instance.create', link, () => {
      if (refused !== undefined) {
        change(instance, 'failed', refused);
        throw failure(`provision could not be completed: ${refused}`);
      }
      instance.dashboard = true;
      if (behaviour === 'now') change(instance, 'succeeded', '');
      else
        later(
          job,
          instance,
          typeof behaviour === 'object' && 'fails later' in behaviour ? behaviour['fails later'] : undefined,
        );
    });
    return job;
  }

  /** A broker that works asynchronously is asked again and again. */
  function later(job: Job, instance: ServiceInstance, fails: string | undefined): void {
    job.state = 'POLLING';
    change(instance, 'in progress', 'working, 0 %');
    for (const [at, percent] of [26, 51, 77].entries())
      world.clock.after(2000 * (at + 1), () => change(instance, 'in progress', `working, ${percent} %`));
    world.clock.after(8000, () => {
      change(instance, fails === undefined ? 'succeeded' : 'failed', fails ?? 'done');
      if (fails === undefined) Object.assign(job, { state: 'COMPLETE', updated: new Date() });
      else world.failJob(job, failure(`create managed could not be completed: ${fails}`));
    });
  }

  function createManaged(body: Record<string, unknown>, user: User): Job {
    const space = world.space(relationTo(body, 'space'), user);
    world.mayWrite(user, space);
    const plan = world.plans.find((one) => one.guid === relationTo(body, 'service_plan'));
    if (!plan || !visible(plan, user))
      throw unprocessable(
        'Invalid service plan. Ensure that the service plan exists, is available, and you have access to it.',
      );
    const name = String(body['name']);
    const there = world.services.find((one) => one.space === space && one.name === name);
    // A failed one of the same name is replaced.
    if (there && there.last.type === 'create' && there.last.state === 'failed') remove(world.services, there);
    else if (there) throw unprocessable(`The service instance name is taken: ${name}.`);
    const instance = newInstance(world, 'managed', name, space, body);
    instance.plan = plan;
    world.services.push(instance);
    return provision(instance, plan);
  }

  function createProvided(body: Record<string, unknown>, user: User): ServiceInstance {
    const space = world.space(relationTo(body, 'space'), user);
    world.mayWrite(user, space);
    const name = String(body['name']);
    if (name.length > 255) throw unprocessable('name max_length');
    if (world.services.some((one) => one.space === space && one.name === name))
      throw unprocessable(`The service instance name is taken: ${name}.`);
    const instance = newInstance(world, 'user-provided', name, space, body);
    change(instance, 'succeeded', 'Operation succeeded');
    world.services.push(instance);
    return instance;
  }

  function deleteInstance(instance: ServiceInstance): Job {
    instance.deleting = true;
    const job = world.job(
      'service_instance.delete',
      { service_instance: `/v3/service_instances/${instance.guid}` },
      () => {
        if (!world.services.includes(instance)) return;
        const bound = world.bindings.filter((one) => one.instance === instance);
        if (bound.length > 0 && world.unbindFails !== undefined) {
          const text = `Service broker failed to delete service binding for instance ${instance.name}: Service broker error: ${world.unbindFails}`;
          Object.assign(instance, { deleting: false });
          instance.last = operation('delete', 'failed', text);
          throw failure(`delete could not be completed: ${text}`);
        }
        for (const one of bound) remove(world.bindings, one);
        if (instance.plan?.broker.deprovision !== 'later' || instance.last.state === 'failed')
          remove(world.services, instance);
        else {
          job.state = 'POLLING';
          world.clock.after(8000, () => {
            remove(world.services, instance);
            Object.assign(job, { state: 'COMPLETE', updated: new Date() });
          });
        }
      },
    );
    return job;
  }

  return {
    'POST /v3/service_instances': ({ body, user }) => {
      const { type } = body;
      const own = type === 'managed' ? ['parameters'] : ['credentials', 'syslog_drain_url', 'route_service_url'];
      checkBody(
        body,
        ['type', 'name', 'relationships', 'tags', 'metadata', ...own],
        [
          relationshipFault(body, 'space'),
          body['credentials'] !== undefined &&
            typeof body['credentials'] !== 'object' &&
            'Credentials must be an object',
        ],
      );
      if (type === 'managed') return accepted(createManaged(body, user));
      return { status: 201, body: shown.instance(createProvided(body, user)) };
    },
    'GET /v3/service_instances': (call) =>
      listOf(
        call,
        world.urls.api,
        world.services.filter((one) => world.sees(call.user, one.space)),
        shown.instance,
        {
          filters: {
            names: (one) => one.name,
            space_guids: (one) => one.space.guid,
            type: (one) => one.type,
            service_plan_guids: (one) => one.plan?.guid ?? '',
          },
          orders: ['created_at', 'updated_at', 'name'],
        },
      ),
    'GET /v3/service_instances/:guid': (call) => ({ status: 200, body: shown.instance(find(call)) }),
    'GET /v3/service_instances/:guid/credentials': (call) => ({ status: 200, body: writable(call).credentials }),
    'GET /v3/service_instances/:guid/parameters': (call) => ({ status: 200, body: writable(call).parameters }),
    'PATCH /v3/service_instances/:guid': (call) => {
      const instance = writable(call);
      const { credentials, parameters, tags, metadata } = call.body as {
        credentials?: Record<string, unknown>;
        parameters?: Record<string, unknown>;
        tags?: string[];
        metadata?: unknown;
      };
      if (['initial', 'in progress'].includes(instance.last.state))
        throw new Refusal(
          409,
          60016,
          'CF-AsyncServiceInstanceOperationInProgress',
          `An operation for service instance ${instance.name} is in progress.`,
        );
      if (credentials) instance.credentials = credentials;
      if (tags) instance.tags = tags;
      mergeMetadata(instance, metadata);
      if (!parameters) {
        instance.last = operation('update', 'succeeded', instance.type === 'managed' ? null : 'Operation succeeded');
        return { status: 200, body: shown.instance(instance) };
      }
      Object.assign(instance.parameters, parameters);
      return accepted(
        world.job('service_instance.update', { service_instances: `/v3/service_instances/${instance.guid}` }, () =>
          change(instance, 'succeeded', ''),
        ),
      );
    },
    'DELETE /v3/service_instances/:guid': (call) => {
      const instance = writable(call);
      if (instance.type === 'managed') return accepted(deleteInstance(instance));
      for (const one of world.bindings.filter((binding) => binding.instance === instance)) remove(world.bindings, one);
      remove(world.services, instance);
      return { status: 204 };
    },
  };
}

function newInstance(
  world: World,
  type: ServiceInstance['type'],
  name: string,
  space: ServiceInstance['space'],
  body: Record<string, unknown>,
): ServiceInstance {
  const instance: ServiceInstance = {
    ...world.thing(),
    type,
    name,
    space,
    tags: (body['tags'] as string[] | undefined) ?? [],
    parameters: { ...(body['parameters'] as object | undefined) },
    credentials: (body['credentials'] as Record<string, unknown> | undefined) ?? {},
    last: operation('create', 'initial', null),
    dashboard: false,
    deleting: false,
  };
  mergeMetadata(instance, body['metadata']);
  return instance;
}

function change(instance: ServiceInstance, state: string, description: string): void {
  instance.last = operation(instance.last.type, state, description);
  instance.updated = new Date();
}
