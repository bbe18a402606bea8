import type { Documents } from './documents.js';
import { notFound, Refusal, unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationshipFault, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import type { Binding, Job, Offering, Operation, Plan, ServiceInstance, User } from './objects.js';
import { PASSWORDS } from './seed.js';
import { serviceDocuments } from './service-documents.js';
import { remove, type World } from './world.js';

/** What a broker that fails makes of a job. */
const failure = (detail: string) => ({ code: 10009, title: 'CF-UnableToPerform', detail });

/** The marketplace, service instances and their bindings. */
export function serviceRoutes(world: World, documents: Documents): Routes {
  const shown = serviceDocuments(documents);
  const find = ({ params, user }: Call) =>
    world.see(world.services, params['guid'] ?? '', user, 'Service instance', (one) => one.space);
  const writable = (call: Call) => {
    const found = find(call);
    world.mayWrite(call.user, found.space);
    return found;
  };
  const accepted = (job: Job) => ({ status: 202, headers: { location: documents.url(`/v3/jobs/${job.guid}`).href } });
  const visible = (plan: Plan, user: User) => plan.public || user.admin;

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
    'GET /v3/service_offerings': (call) =>
      listOf<Offering>(
        call,
        world.urls.api,
        world.offerings.filter((one) => world.plans.some((plan) => plan.offering === one && visible(plan, call.user))),
        shown.offering,
        {
          filters: { names: (one) => one.name },
          extra: ['space_guids', 'organization_guids', 'available', 'fields'],
          orders: ['created_at', 'updated_at', 'name'],
        },
      ),
    'GET /v3/service_plans': (call) =>
      listOf<Plan>(
        call,
        world.urls.api,
        world.plans.filter((plan) => visible(plan, call.user)),
        shown.plan,
        {
          filters: {
            names: (one) => one.name,
            service_offering_names: (one) => one.offering.name,
            service_offering_guids: (one) => one.offering.guid,
          },
          extra: ['space_guids', 'organization_guids', 'available', 'fields'],
          include: {
            service_offering: (plans) => ({
              service_offerings: [...new Set(plans.map((one) => one.offering))].map(shown.offering),
            }),
          },
        },
      ),
    'GET /v3/service_plans/:guid/visibility': (call) => ({
      status: 200,
      body: { type: planOf(world, call).public ? 'public' : 'admin' },
    }),
    'PATCH /v3/service_plans/:guid/visibility': (call) => {
      planOf(world, call).public = call.body['type'] === 'public';
      return { status: 200, body: { type: call.body['type'] } };
    },
    'POST /v3/service_brokers': () =>
      accepted(
        world.job(
          'service_broker.catalog.synchronize',
          { service_brokers: `/v3/service_brokers/${world.offerings[0]?.broker}` },
          () => {},
        ),
      ),
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
    ...bindingRoutes(world, documents, accepted),
  };
}

function planOf(world: World, { params, user }: Call): Plan {
  const plan = world.plans.find((one) => one.guid === params['guid']);
  if (!plan || !user.admin) throw notFound('Service plan');
  return plan;
}

function bindingRoutes(
  world: World,
  documents: Documents,
  accepted: (job: Job) => { status: number; headers: Record<string, string> },
): Routes {
  const shown = serviceDocuments(documents);
  const find = ({ params, user }: Call) =>
    world.see(world.bindings, params['guid'] ?? '', user, 'Service credential binding', (one) => one.instance.space);

  function create(body: Record<string, unknown>, user: User): Binding {
    const guid = relationTo(body, 'service_instance');
    const instance = world.services.find((one) => one.guid === guid && world.sees(user, one.space));
    if (!instance) throw unprocessable(`The service instance could not be found: '${guid}'`);
    world.mayWrite(user, instance.space);
    const type = body['type'] === 'key' ? 'key' : 'app';
    if (type === 'key' && instance.type === 'user-provided')
      throw unprocessable(
        "Service credential bindings of type 'key' are not supported for user-provided service instances.",
      );
    if (body['parameters'] !== undefined && instance.type === 'user-provided')
      throw unprocessable('Binding parameters are not supported for user-provided service instances');
    if (['initial', 'in progress'].includes(instance.last.state))
      throw unprocessable('There is an operation in progress for the service instance');
    if (instance.last.type === 'create' && instance.last.state === 'failed')
      throw unprocessable('Service instance not found');
    const app = world.apps.find((one) => one.guid === relationTo(body, 'app'));
    if (type === 'app' && world.bindings.some((one) => one.instance === instance && one.app === app))
      throw unprocessable('The app is already bound to the service instance');
    const name = typeof body['name'] === 'string' ? body['name'] : null;
    const binding: Binding = {
      ...world.thing(),
      type,
      name,
      instance,
      credentials: {},
      last: operation('create', 'initial', null),
    };
    if (app) binding.app = app;
    world.bindings.push(binding);
    return binding;
  }

  function bind(binding: Binding, parameters: unknown): Job {
    const { instance } = binding;
    const link = { service_credential_binding: `/v3/service_credential_bindings/${binding.guid}` };
    const refuses = instance.plan?.broker.bind;
    return world.job(binding.type === 'key' ? 'service_keys.create' : 'service_bindings.create', link, () => {
      if (typeof refuses === 'object' && parameters !== undefined) {
        binding.last = operation('create', 'failed', refuses['refuses parameters']);
        throw failure(`bind could not be completed: ${refuses['refuses parameters']}`);
      }
      const user = `u${binding.guid.slice(0, 6)}`;
      const password = PASSWORDS.database;
      binding.credentials = {
        uri: `postgres://${user}:${password}@db.example:5432/d1`,
        host: 'db.example',
        port: 5432,
        username: user,
        password,
        name: 'd1',
      };
      binding.last = operation('create', 'succeeded', null);
    });
  }

  return {
    'POST /v3/service_credential_bindings': ({ body, user }) => {
      checkBody(body, ['type', 'name', 'relationships', 'parameters', 'metadata']);
      const binding = create(body, user);
      mergeMetadata(binding, body['metadata']);
      if (binding.instance.type === 'managed') return accepted(bind(binding, body['parameters']));
      binding.credentials = binding.instance.credentials;
      binding.last = operation('create', 'succeeded', null);
      return { status: 201, body: shown.binding(binding) };
    },
    'GET /v3/service_credential_bindings': (call) =>
      listOf(
        call,
        world.urls.api,
        world.bindings.filter((one) => world.sees(call.user, one.instance.space)),
        shown.binding,
        {
          filters: {
            app_guids: (one) => one.app?.guid ?? '',
            service_instance_guids: (one) => one.instance.guid,
            type: (one) => one.type,
            names: (one) => one.name ?? '',
          },
          include: {
            service_instance: (bindings) => ({
              service_instances: [...new Set(bindings.map((one) => one.instance))].map(shown.instance),
            }),
            app: (bindings) => ({ apps: [...new Set(bindings.flatMap((one) => one.app ?? []))].map(documents.app) }),
          },
        },
      ),
    'GET /v3/service_credential_bindings/:guid': (call) => ({ status: 200, body: shown.binding(find(call)) }),
    'GET /v3/service_credential_bindings/:guid/details': (call) => ({
      status: 200,
      body: { credentials: find(call).credentials },
    }),
    'DELETE /v3/service_credential_bindings/:guid': (call) => {
      const binding = find(call);
      world.mayWrite(call.user, binding.instance.space);
      if (binding.instance.type === 'managed')
        return accepted(world.job('service_bindings.delete', {}, () => remove(world.bindings, binding)));
      remove(world.bindings, binding);
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

function operation(type: string, state: string, description: string | null): Operation {
  return { type, state, description, created: new Date(), updated: new Date() };
}

function change(instance: ServiceInstance, state: string, description: string): void {
  instance.last = operation(instance.last.type, state, description);
  instance.updated = new Date();
}
