import type { Routes } from './http.js';
import type { World } from './world.js';

/** What everybody may read. */
export function rootRoutes(world: World): Routes {
  const link = (href: string, meta?: Record<string, string>) => ({ href, ...(meta ? { meta } : {}) });
  return {
    'GET /': () => {
      const { api, uaa, logs } = world.urls;
      const ssh = {
        host_key_fingerprint: '47:0d:d1:c8:c3:3d:0a:36:d1:49:2f:f2:90:27:31:d0',
        oauth_client: 'ssh-proxy',
      };
      const links = {
        self: link(api),
        cloud_controller_v3: link(`${api}/v3`, { version: '3.228.0' }),
        network_policy_v0: link(`${api}/networking/v0/external`),
        network_policy_v1: link(`${api}/networking/v1/external`),
        login: link(uaa),
        uaa: link(uaa),
        credhub: link('https://credhub.cf.example'),
        routing: link(`${api}/routing`),
        logging: link('wss://doppler.cf.example:443'),
        log_cache: link(logs),
        log_stream: link('https://log-stream.cf.example'),
        app_ssh: link('ssh.cf.example:2222', ssh),
        cloud_controller_v2: link(`${api}/v2`, { version: '2.293.0' }),
      };
      return { status: 200, body: { links } };
    },
    'GET /v3': () => {
      const names =
        'self app_usage_events apps audit_events buildpacks builds deployments domains droplets environment_variable_groups feature_flags info isolation_segments organizations organization_quotas packages processes resource_matches roles routes security_groups service_brokers service_instances service_credential_bindings service_offerings service_plans service_route_bindings service_usage_events spaces space_quotas stacks tasks users'.split(
          ' ',
        );
      const links = names.map((name) => [name, link(`${world.urls.api}/v3${name === 'self' ? '' : `/${name}`}`)]);
      return { status: 200, body: { links: Object.fromEntries(links) } };
    },
    'GET /v3/info': () => {
      const { rateLimit } = world.options;
      const limits = {
        enabled: rateLimit !== undefined,
        general_limit: rateLimit?.requests ?? 2000,
        reset_interval_in_minutes: 60,
      };
      const body = {
        build: 'v50.0.0',
        cli_version: { minimum: '6.22.0', recommended: 'latest' },
        custom: {},
        description: 'Cloud Foundry',
        name: 'example-cf',
        version: 2,
        osbapi_version: '2.15',
        rate_limits: limits,
        links: { self: link(`${world.urls.api}/v3/info`), support: link('https://support.cf.example') },
      };
      return { status: 200, body };
    },
    'GET /v2/info': (call) => {
      const { api, uaa } = world.urls;
      const body = {
        name: 'example-cf',
        build: 'v50.0.0',
        support: 'https://support.cf.example',
        version: 2,
        description: 'Cloud Foundry',
        authorization_endpoint: uaa,
        token_endpoint: uaa,
        min_cli_version: '6.22.0',
        min_recommended_cli_version: 'latest',
        app_ssh_endpoint: 'ssh.cf.example:2222',
        app_ssh_host_key_fingerprint: '47:0d:d1:c8:c3:3d:0a:36:d1:49:2f:f2:90:27:31:d0',
        app_ssh_oauth_client: 'ssh-proxy',
        doppler_logging_endpoint: 'wss://doppler.cf.example:443',
        api_version: '2.293.0',
        osbapi_version: '2.15',
        routing_endpoint: `${api}/routing`,
        custom: {},
        ...(call.user ? { user: call.user.guid } : {}),
      };
      return { status: 200, body };
    },
    'GET /healthz': () => ({ status: 200, body: 'OK', headers: { 'content-type': 'text/plain' } }),
  };
}
