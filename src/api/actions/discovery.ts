import { actions } from '../action.js';

const everyone = ['user', 'admin'] as const;

export const discoveryActions = actions({
  describeService: {
    method: 'GET',
    path: '/',
    roles: everyone,
    response: 'service',
    shows: [],
    links: [
      { rel: 'up', on: 'applications' },
      { rel: 'up', on: 'environments' },
      { rel: 'up', on: 'tasks' },
      { rel: 'up', on: 'users' },
      { rel: 'up', on: 'auditEvents' },
      { rel: 'up', on: 'information' },
    ],
    summary: 'What this is, with links to everything.',
  },
  getWadl: {
    method: 'GET',
    path: '/application.wadl',
    roles: everyone,
    query: { version: { type: 'string', help: '2006 (default) or 2009.' } },
    response: 'wadl',
    shows: [],
    links: [{ rel: 'alternate', on: 'service' }],
    summary: 'This API as WADL.',
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    roles: everyone,
    response: 'openapi',
    shows: [],
    links: [{ rel: 'alternate', on: 'service' }],
    summary: 'This API as OpenAPI 3.1.',
  },
});
