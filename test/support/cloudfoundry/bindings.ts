import type { Documents } from './documents.js';
import { unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import { failure, operation } from './marketplace.js';
import type { Binding, Job, User } from './objects.js';
import { PASSWORDS } from './seed.js';
import { serviceDocuments } from './service-documents.js';
import { remove, type World } from './world.js';

/** Credential bindings of service instances. */
export function bindingRoutes(world: World, documents: Documents): Routes {
  const { accepted } = documents;
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
