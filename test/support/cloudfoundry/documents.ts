import type * as O from './objects.js';
import { placeDocuments } from './place-documents.js';
import type { World } from './world.js';

const HIDDEN = '[PRIVATE DATA HIDDEN IN LISTS]';

/** The documents as the Cloud Controller writes them, links included. `listed`: lists hide commands. */
export function documentsOf(world: World) {
  const url = (path: string) => ({ href: `${world.urls.api}${path}` });
  const post = (path: string) => ({ ...url(path), method: 'POST' });
  const to = (thing: { guid: string } | undefined) => ({ data: thing ? { guid: thing.guid } : null });
  const base = ({ guid, created, updated }: O.Thing) => ({
    guid,
    created_at: stamp(created),
    updated_at: stamp(updated),
  });
  const metadata = ({ labels, annotations }: O.Thing) => ({ metadata: { labels, annotations } });

  return {
    ...placeDocuments(world, { url, post, to, base, metadata }),
    app: (app: O.App) => {
      const path = `/v3/apps/${app.guid}`;
      return {
        ...base(app),
        name: app.name,
        state: app.state,
        lifecycle: app.lifecycle,
        relationships: { space: to(app.space), current_droplet: { data: { guid: app.droplet?.guid ?? null } } },
        ...metadata(app),
        links: {
          self: url(path),
          environment_variables: url(`${path}/environment_variables`),
          space: url(`/v3/spaces/${app.space.guid}`),
          processes: url(`${path}/processes`),
          packages: url(`${path}/packages`),
          current_droplet: url(`${path}/droplets/current`),
          droplets: url(`${path}/droplets`),
          tasks: url(`${path}/tasks`),
          start: post(`${path}/actions/start`),
          stop: post(`${path}/actions/stop`),
          clear_buildpack_cache: post(`${path}/actions/clear_buildpack_cache`),
          revisions: url(`${path}/revisions`),
          deployed_revisions: url(`${path}/revisions/deployed`),
          features: url(`${path}/features`),
        },
      };
    },
    process: (process: O.Process, { listed = false, embeds = false } = {}) => {
      const path = `/v3/processes/${process.guid}`;
      return {
        ...base(process),
        version: process.version,
        type: process.type,
        command: listed ? HIDDEN : (process.command ?? process.app.droplet?.command ?? ''),
        user: 'vcap',
        instances: process.instances,
        memory_in_mb: process.memory,
        disk_in_mb: process.disk,
        log_rate_limit_in_bytes_per_second: 1_048_576,
        health_check: healthCheck(process.health),
        readiness_health_check: healthCheck(process.readiness),
        ...(embeds ? { process_instances: process.cells.map(instanceInShort) } : {}),
        relationships: {
          app: to(process.app),
          revision: process.revision === undefined ? null : { data: { guid: process.revision } },
        },
        ...metadata(process),
        links: {
          self: url(path),
          scale: post(`${path}/actions/scale`),
          app: url(`/v3/apps/${process.app.guid}`),
          space: url(`/v3/spaces/${process.app.space.guid}`),
          stats: url(`${path}/stats`),
          process_instances: url(`${path}/process_instances`),
        },
      };
    },
    package: (made: O.Package) => ({
      ...base(made),
      type: made.type,
      data: { error: made.error ?? null, checksum: { type: 'sha256', value: made.checksum ?? null } },
      state: made.state,
      relationships: { app: to(made.app) },
      ...metadata(made),
      links: {
        self: url(`/v3/packages/${made.guid}`),
        upload: post(`/v3/packages/${made.guid}/upload`),
        download: url(`/v3/packages/${made.guid}/download`),
        app: url(`/v3/apps/${made.app.guid}`),
      },
    }),
    build: (build: O.Build) => ({
      ...base(build),
      state: build.state,
      staging_memory_in_mb: build.memory,
      staging_disk_in_mb: build.disk,
      staging_log_rate_limit_bytes_per_second: 1_048_576,
      error: build.error ?? null,
      lifecycle: build.lifecycle,
      package: { guid: build.package.guid },
      droplet: build.droplet ? { guid: build.droplet.guid } : null,
      created_by: { guid: build.by.guid, name: build.by.name, email: build.by.name },
      relationships: { app: to(build.app) },
      ...metadata(build),
      links: {
        self: url(`/v3/builds/${build.guid}`),
        app: url(`/v3/apps/${build.app.guid}`),
        ...(build.droplet ? { droplet: url(`/v3/droplets/${build.droplet.guid}`) } : {}),
      },
    }),
    droplet: (droplet: O.Droplet, { listed = false } = {}) => ({
      ...base(droplet),
      state: droplet.state,
      error: null,
      lifecycle: { type: 'buildpack', data: {} },
      checksum: { type: 'sha256', value: droplet.checksum },
      buildpacks: [
        {
          name: droplet.buildpack,
          detect_output: droplet.buildpack.replace('_buildpack', ''),
          buildpack_name: droplet.buildpack.replace('_buildpack', ''),
          version: '1.8.30',
        },
      ],
      stack: droplet.stack,
      image: null,
      execution_metadata: listed ? HIDDEN : '',
      process_types: listed ? { redacted_message: HIDDEN } : { web: droplet.command },
      relationships: { app: to(droplet.app) },
      ...metadata(droplet),
      links: {
        self: url(`/v3/droplets/${droplet.guid}`),
        app: url(`/v3/apps/${droplet.app.guid}`),
        assign_current_droplet: {
          ...url(`/v3/apps/${droplet.app.guid}/relationships/current_droplet`),
          method: 'PATCH',
        },
        package: url(`/v3/packages/${droplet.package.guid}`),
        download: url(`/v3/droplets/${droplet.guid}/download`),
      },
    }),
    deployment: (deployment: O.Deployment) => ({
      ...base(deployment),
      status: {
        value: deployment.status,
        reason: deployment.reason,
        details: {
          last_successful_healthcheck: stamp(deployment.healthy),
          last_status_change: stamp(deployment.changed),
        },
        ...(deployment.strategy === 'canary' ? { canary: { steps: { current: 1, total: 1 } } } : {}),
      },
      strategy: deployment.strategy,
      options: { max_in_flight: deployment.maxInFlight },
      droplet: { guid: deployment.droplet.guid },
      previous_droplet: { guid: deployment.previous?.guid ?? null },
      new_processes: deployment.process ? [{ guid: deployment.process.guid, type: 'web' }] : [],
      revision: deployment.revision,
      relationships: { app: to(deployment.app) },
      ...metadata(deployment),
      links: {
        self: url(`/v3/deployments/${deployment.guid}`),
        app: url(`/v3/apps/${deployment.app.guid}`),
        ...(deployment.status === 'ACTIVE'
          ? { cancel: post(`/v3/deployments/${deployment.guid}/actions/cancel`) }
          : {}),
        ...(deployment.reason === 'PAUSED'
          ? { continue: post(`/v3/deployments/${deployment.guid}/actions/continue`) }
          : {}),
      },
    }),
    route: (route: O.Route) => ({
      ...base(route),
      protocol: 'http',
      host: route.host,
      path: route.path,
      port: null,
      url: `${route.host}.${route.domain.name}${route.path}`,
      destinations: route.destinations.map(destination),
      options: {},
      ...metadata(route),
      relationships: { space: to(route.space), domain: to(route.domain) },
      links: {
        self: url(`/v3/routes/${route.guid}`),
        space: url(`/v3/spaces/${route.space.guid}`),
        destinations: url(`/v3/routes/${route.guid}/destinations`),
        domain: url(`/v3/domains/${route.domain.guid}`),
      },
    }),
    destinations: (route: O.Route) => ({
      destinations: route.destinations.map(destination),
      links: { self: url(`/v3/routes/${route.guid}/destinations`), route: url(`/v3/routes/${route.guid}`) },
    }),
    job: (job: O.Job) => ({
      ...base(job),
      operation: job.operation,
      state: job.state,
      errors: job.errors,
      warnings: [],
      links: {
        self: url(`/v3/jobs/${job.guid}`),
        // What was deleted is led to no more.
        ...(job.operation.includes('delete') && job.state === 'COMPLETE'
          ? {}
          : Object.fromEntries(Object.entries(job.link).map(([name, path]) => [name, url(path)]))),
      },
    }),
    event: (event: O.AuditEvent) => ({
      ...base(event),
      type: event.type,
      actor: event.actor,
      target: event.target,
      data: event.data,
      space: { guid: event.space.guid },
      organization: { guid: event.space.org.guid },
      links: { self: url(`/v3/audit_events/${event.guid}`) },
    }),
    accepted: (job: O.Job) => ({ status: 202, headers: { location: url(`/v3/jobs/${job.guid}`).href } }),
    url,
    post,
    base,
    metadata,
    to,
  };
}

export type Documents = ReturnType<typeof documentsOf>;

export function stamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

function healthCheck({ type, data }: O.HealthCheck) {
  return { type, data: { invocation_timeout: null, interval: null, ...data } };
}

export function instanceInShort({ index, state, since }: O.Instance) {
  return { index, state, since: Math.floor((Date.now() - since) / 1000) };
}

function destination({ guid, app, process, port, protocol, created, updated }: O.Destination) {
  const times = { created_at: stamp(created), updated_at: stamp(updated) };
  return { guid, app: { guid: app.guid, process: { type: process } }, weight: null, port, protocol, ...times };
}
