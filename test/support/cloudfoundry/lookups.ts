import type { Documents } from './documents.js';
import { forbidden, notFound } from './errors.js';
import { type Call, listOf, type Routes } from './http.js';
import { quotaGuid } from './place-documents.js';
import { role, rolesOf } from './roles.js';
import { remove, type World } from './world.js';

/** Organisations, spaces, domains, buildpacks and everything else that is only looked up. */
export function lookupRoutes(world: World, documents: Documents): Routes {
  const org = ({ params, user }: Call) => {
    const found = world.orgs.find((one) => one.guid === params['guid']);
    if (!found || !world.seesOrg(user, found)) throw notFound('Organization');
    return found;
  };
  const space = ({ params, user }: Call) => world.see(world.spaces, params['guid'] ?? '', user, 'Space', (one) => one);
  const empty = (call: Call) => listOf(call, world.urls.api, [], () => ({}));
  const shared = () => world.domains.filter((one) => one.owner === undefined);
  return {
    'GET /v3/organizations': (call) =>
      listOf(
        call,
        world.urls.api,
        world.orgs.filter((one) => world.seesOrg(call.user, one)),
        documents.org,
        {
          filters: { names: (one) => one.name },
          orders: ['created_at', 'updated_at', 'name'],
        },
      ),
    'GET /v3/organizations/:guid': (call) => ({ status: 200, body: documents.org(org(call)) }),
    'POST /v3/organizations': () => {
      throw forbidden();
    },
    'GET /v3/organizations/:guid/domains': (call) => {
      org(call);
      return listOf(call, world.urls.api, shared(), documents.domain, { filters: { names: (one) => one.name } });
    },
    'GET /v3/organizations/:guid/domains/default': (call) => {
      org(call);
      const [first] = shared();
      if (!first) throw notFound('Domain');
      return { status: 200, body: documents.domain(first) };
    },
    'GET /v3/organizations/:guid/usage_summary': (call) => {
      const { guid } = org(call);
      const usage = {
        started_instances: 0,
        memory_in_mb: 0,
        routes: 0,
        service_instances: 0,
        reserved_ports: 0,
        domains: 0,
        per_app_tasks: 0,
        service_keys: 0,
      };
      const links = {
        self: documents.url(`/v3/organizations/${guid}/usage_summary`),
        organization: documents.url(`/v3/organizations/${guid}`),
      };
      return { status: 200, body: { usage_summary: usage, links } };
    },
    'GET /v3/organization_quotas': (call) =>
      listOf(
        call,
        world.urls.api,
        world.orgs.filter((one) => world.seesOrg(call.user, one)).slice(0, 1),
        (one) => quota(documents, one),
        {
          filters: { names: () => 'default' },
          extra: ['organization_guids'],
          labels: false,
        },
      ),
    'GET /v3/space_quotas': (call) =>
      listOf(call, world.urls.api, [], () => ({}), { extra: ['space_guids', 'organization_guids', 'names'] }),
    'GET /v3/spaces': (call) =>
      listOf(
        call,
        world.urls.api,
        world.spaces.filter((one) => world.sees(call.user, one)),
        documents.space,
        {
          filters: { names: (one) => one.name, organization_guids: (one) => one.org.guid },
          orders: ['created_at', 'updated_at', 'name'],
          include: {
            organization: (spaces) => ({
              organizations: [...new Set(spaces.map((one) => one.org))].map(documents.org),
            }),
            org: (spaces) => ({ organizations: [...new Set(spaces.map((one) => one.org))].map(documents.org) }),
          },
        },
      ),
    'GET /v3/spaces/:guid': (call) => ({ status: 200, body: documents.space(space(call)) }),
    'GET /v3/spaces/:guid/features/ssh': (call) => {
      space(call);
      return {
        status: 200,
        body: { name: 'ssh', description: 'Enable SSHing into apps in the space.', enabled: true },
      };
    },
    'DELETE /v3/spaces/:guid': (call) => {
      const found = space(call);
      if (!call.user.admin) throw forbidden();
      const job = world.job('space.delete', { space: `/v3/spaces/${found.guid}` }, () => remove(world.spaces, found));
      return documents.accepted(job);
    },
    'GET /v3/buildpacks': (call) =>
      listOf(call, world.urls.api, world.buildpacks, documents.buildpack, {
        filters: { names: (one) => one.name, stacks: (one) => one.stack },
        extra: ['lifecycle'],
        orders: ['created_at', 'updated_at', 'position', 'lifecycle'],
      }),
    'POST /v3/buildpacks': ({ body, user }) => {
      if (!user.admin) throw forbidden();
      const made = {
        ...world.thing(),
        name: String(body['name']),
        stack: String(body['stack']),
        state: 'AWAITING_UPLOAD' as const,
      };
      world.buildpacks.unshift(made);
      return { status: 201, body: documents.buildpack(made) };
    },
    'GET /v3/stacks': (call) =>
      listOf(call, world.urls.api, world.stacks, documents.stack, {
        filters: { names: (one) => one.name },
        extra: ['default'],
      }),
    'GET /v3/roles': (call) =>
      listOf(call, world.urls.api, rolesOf(world, call), (one) => role(documents, one), {
        extra: ['user_guids', 'space_guids', 'organization_guids', 'types'],
        include: {
          space: (roles) => ({ spaces: [...new Set(roles.flatMap((one) => one.space ?? []))].map(documents.space) }),
          organization: (roles) => ({
            organizations: [...new Set(roles.flatMap((one) => one.org ?? []))].map(documents.org),
          }),
        },
      }),
    'GET /v3/users': (call) =>
      listOf(
        call,
        world.urls.api,
        world.users.filter((one) => one.roles.size > 0).map((one) => ({ ...world.thing(one.guid), user: one })),
        ({ user, ...thing }) => ({
          ...documents.base(thing),
          username: user.name,
          presentation_name: user.name,
          origin: 'uaa',
          ...documents.metadata(thing),
          links: { self: documents.url(`/v3/users/${user.guid}`) },
        }),
      ),
    'GET /v3/audit_events': (call) =>
      listOf(
        call,
        world.urls.api,
        world.events.filter((one) => world.sees(call.user, one.space)),
        documents.event,
        {
          filters: {
            types: (one) => one.type,
            target_guids: (one) => one.target.guid,
            space_guids: (one) => one.space.guid,
          },
          labels: false,
        },
      ),
    'GET /v3/feature_flags': (call) => {
      const flags = [...world.flags.keys()].map((name) => ({ ...world.thing(), name }));
      return listOf(call, world.urls.api, flags, ({ name }) => flagOf(world, documents, name), { labels: false });
    },
    'GET /v3/feature_flags/:name': ({ params }) => {
      const name = params['name'] ?? '';
      if (!world.flags.has(name)) throw notFound('Feature flag');
      return { status: 200, body: flagOf(world, documents, name) };
    },
    'GET /v3/environment_variable_groups/running': () => ({
      status: 200,
      body: {
        updated_at: documents.base(world.thing()).updated_at,
        name: 'running',
        var: {},
        links: { self: documents.url('/v3/environment_variable_groups/running') },
      },
    }),
    'GET /v3/isolation_segments': empty,
    'GET /v3/app_usage_events': empty,
    'GET /v3/security_groups': (call) =>
      listOf(call, world.urls.api, [world.thing()], (one) => ({
        ...documents.base(one),
        name: 'default',
        rules: [],
        globally_enabled: { running: true, staging: true },
        relationships: { running_spaces: { data: [] }, staging_spaces: { data: [] } },
        links: { self: documents.url(`/v3/security_groups/${one.guid}`) },
      })),
    'GET /v3/jobs/:guid': ({ params }) => {
      const job = world.jobs.find((one) => one.guid === params['guid']);
      if (!job) throw notFound('Job');
      return { status: 200, body: documents.job(job) };
    },
  };
}

function quota(documents: Documents, org: World['orgs'][number]) {
  const guid = quotaGuid(org);
  return {
    ...documents.base(org),
    guid,
    name: 'default',
    apps: {
      total_memory_in_mb: org.quota.total_memory_in_mb,
      per_process_memory_in_mb: null,
      total_instances: null,
      per_app_tasks: null,
      log_rate_limit_in_bytes_per_second: null,
    },
    services: { paid_services_allowed: true, total_service_instances: 100, total_service_keys: null },
    routes: { total_routes: 1000, total_reserved_ports: 0 },
    domains: { total_domains: null },
    relationships: { organizations: { data: [{ guid: org.guid }] } },
    links: { self: documents.url(`/v3/organization_quotas/${guid}`) },
  };
}

function flagOf(world: World, documents: Documents, name: string) {
  const flag = world.flags.get(name);
  return {
    name,
    enabled: flag?.enabled ?? false,
    updated_at: null,
    custom_error_message: flag?.text ?? null,
    links: { self: documents.url(`/v3/feature_flags/${name}`) },
  };
}
