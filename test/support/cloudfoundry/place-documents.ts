import type * as O from './objects.js';
import type { World } from './world.js';

/** The pieces that all documents are made of. */
export interface Pieces {
  url(path: string): { href: string };
  post(path: string): { href: string; method: string };
  to(thing: { guid: string } | undefined): { data: { guid: string } | null };
  base(thing: O.Thing): { guid: string; created_at: string; updated_at: string };
  metadata(thing: O.Thing): { metadata: { labels: Record<string, string>; annotations: Record<string, string> } };
}

/** What a platform has before anybody uses it: organisations, spaces, domains, buildpacks, stacks. */
export function placeDocuments(world: World, { url, post, to, base, metadata }: Pieces) {
  return {
    org: (org: O.Org) => ({
      ...base(org),
      name: org.name,
      suspended: org.suspended,
      relationships: { quota: { data: { guid: quotaGuid(org) } } },
      ...metadata(org),
      links: {
        self: url(`/v3/organizations/${org.guid}`),
        domains: url(`/v3/organizations/${org.guid}/domains`),
        default_domain: url(`/v3/organizations/${org.guid}/domains/default`),
        quota: url(`/v3/organization_quotas/${quotaGuid(org)}`),
      },
    }),
    space: (space: O.Space) => ({
      ...base(space),
      name: space.name,
      suspended: false,
      relationships: { organization: to(space.org), quota: { data: null } },
      ...metadata(space),
      links: {
        self: url(`/v3/spaces/${space.guid}`),
        organization: url(`/v3/organizations/${space.org.guid}`),
        features: url(`/v3/spaces/${space.guid}/features`),
        apply_manifest: post(`/v3/spaces/${space.guid}/actions/apply_manifest`),
      },
    }),
    domain: (domain: O.Domain) => ({
      ...base(domain),
      name: domain.name,
      internal: false,
      router_group: null,
      supported_protocols: ['http'],
      relationships: { organization: { data: null }, shared_organizations: { data: [] } },
      ...metadata(domain),
      links: {
        self: url(`/v3/domains/${domain.guid}`),
        route_reservations: url(`/v3/domains/${domain.guid}/route_reservations`),
      },
    }),
    buildpack: (buildpack: O.Buildpack) => ({
      ...base(buildpack),
      name: buildpack.name,
      stack: buildpack.stack,
      state: buildpack.state,
      lifecycle: 'buildpack',
      filename: buildpack.state === 'READY' ? `${buildpack.name}-${buildpack.stack}-v1.0.0.zip` : null,
      position: 1 + world.buildpacks.indexOf(buildpack),
      enabled: true,
      locked: false,
      ...metadata(buildpack),
      links: { self: url(`/v3/buildpacks/${buildpack.guid}`), upload: post(`/v3/buildpacks/${buildpack.guid}/upload`) },
    }),
    stack: (stack: O.Thing & { name: string }) => ({
      ...base(stack),
      name: stack.name,
      description: `test ${stack.name} entry`,
      state: 'ACTIVE',
      state_reason: null,
      run_rootfs_image: stack.name,
      build_rootfs_image: stack.name,
      default: true,
      ...metadata(stack),
      links: { self: url(`/v3/stacks/${stack.guid}`) },
    }),
  };
}

export function quotaGuid(org: O.Org): string {
  return `4ae01394-8c1a-4f34-9243-${org.guid.slice(-12)}`;
}
