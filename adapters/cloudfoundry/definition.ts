import type { AdapterDefinition, OptionDefinition } from '../adapter.js';

const OPTIONS: readonly OptionDefinition[] = [
  {
    name: 'apiUrl',
    type: 'string',
    required: true,
    help: 'Address of the Cloud Controller, e.g. https://api.example.org.',
  },
  { name: 'user', type: 'string', help: 'Name of a user with the role SpaceDeveloper; with `password`.' },
  { name: 'password', type: 'string', secret: true, help: 'Password of `user`.' },
  { name: 'clientId', type: 'string', help: 'Instead of a user: a UAA client with the grant client_credentials.' },
  { name: 'clientSecret', type: 'string', secret: true, help: 'Secret of `clientId`.' },
  { name: 'org', type: 'string', required: true, help: 'Organisation in which everything is made.' },
  { name: 'space', type: 'string', required: true, help: 'Space in which everything is made.' },
  {
    name: 'ca',
    type: 'string',
    help: 'PEM, or the path of a PEM file, of the authority that signed the platform’s certificate.',
  },
  { name: 'skipTlsVerification', type: 'boolean', default: false, help: 'Trust any certificate. For trials only.' },
  {
    name: 'domain',
    type: 'string',
    help: 'Domain of the applications’ routes. Default: the organisation’s default domain.',
  },
  {
    name: 'routeUrl',
    type: 'string',
    help: 'How a route is opened, with {host}. Default: https://{host}, or http://{host} when apiUrl is http.',
  },
  { name: 'stack', type: 'string', help: 'Stack of the applications. Default: the platform’s.' },
  {
    name: 'buildpacks',
    type: 'map',
    help: 'Buildpacks by container, e.g. {"tomcat": "java_buildpack_offline"}; a list is taken in order.',
  },
  {
    name: 'services',
    type: 'map',
    help: 'Offerings by database, e.g. {"mysql": "p.mysql/small", "redis": "none"}; or a map with offering, plan and parameters.',
  },
  {
    name: 'healthCheckPath',
    type: 'string',
    help: 'Path that must answer 200 before an application counts as running. Default: its port must accept connections.',
  },
  {
    name: 'healthCheckTimeout',
    type: 'number',
    help: 'Seconds that an application may take to become healthy. Default: the platform’s (60).',
  },
  {
    name: 'requestTimeout',
    type: 'number',
    default: 30,
    help: 'Seconds without an answer after which a request is given up.',
  },
  { name: 'stagingTimeout', type: 'number', default: 900, help: 'Seconds that staging may take.' },
  {
    name: 'startTimeout',
    type: 'number',
    default: 300,
    help: 'Seconds that starting, stopping or rolling out each process may take.',
  },
  {
    name: 'serviceTimeout',
    type: 'number',
    default: 1800,
    help: 'Seconds that making, binding or deleting a service may take.',
  },
  {
    name: 'pollInterval',
    type: 'number',
    default: 1,
    help: 'Seconds between two looks at something that is waited for; they grow up to five times this.',
  },
  {
    name: 'settleTime',
    type: 'number',
    default: 2,
    help: 'Seconds that a started application must keep running before its start counts.',
  },
  {
    name: 'patience',
    type: 'number',
    default: 120,
    help: 'Seconds that one request is repeated while the platform is down or its rate limit is spent.',
  },
];

export const cloudFoundryDefinition: AdapterDefinition = {
  name: 'cloudfoundry',
  summary: 'Cloud Foundry and Korifi, by their API version 3.',
  options: OPTIONS,
  // The rest, and with it the HTTP client, is loaded by the first platform that uses it.
  create: async (context) => (await import('./open.js')).openAdapter(context),
  check: async (context, signal) => (await import('./open.js')).checkPlatform(context, signal),
};
