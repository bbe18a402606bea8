import { actions } from '../action.js';

const everyone = ['user', 'admin'] as const;
const admin = ['admin'] as const;

export const userActions = actions({
  findUsers: {
    method: 'GET',
    path: '/user',
    roles: admin,
    response: 'users',
    links: [
      { rel: 'down', on: 'service' },
      { rel: 'up', on: 'user' },
    ],
    summary: 'Lists the users.',
  },
  createUser: {
    method: 'POST',
    path: '/user',
    roles: admin,
    body: 'user',
    response: 'user',
    links: [{ rel: 'add', on: 'users' }],
    summary: 'Creates a user.',
  },
  describeUser: {
    method: 'GET',
    path: '/user/{name}',
    roles: admin,
    response: 'user',
    links: [{ rel: 'up', on: 'keys' }],
    summary: 'Describes a user.',
  },
  updateUser: {
    method: 'PUT',
    path: '/user/{name}',
    roles: admin,
    body: 'user',
    response: 'user',
    links: [{ rel: 'edit', on: 'user' }],
    summary: 'Changes role, tenant and particulars of a user.',
  },
  deleteUser: {
    method: 'DELETE',
    path: '/user/{name}',
    roles: admin,
    response: 'operationResponse',
    links: [{ rel: 'remove', on: 'user' }],
    summary: 'Deletes a user.',
  },
  changePassword: {
    method: 'PUT',
    path: '/user/{name}/password',
    roles: everyone,
    body: 'password',
    response: 'operationResponse',
    links: [{ rel: 'edit', on: 'user' }],
    summary: "Changes a user's password: one's own, or as admin anyone's.",
  },
  createKey: {
    method: 'POST',
    path: '/user/{name}/key',
    roles: everyone,
    body: 'key',
    response: 'key',
    links: [
      { rel: 'add', on: 'user' },
      { rel: 'add', on: 'keys' },
    ],
    summary: 'Creates an API key; its secret is shown this once.',
  },
  findKeys: {
    method: 'GET',
    path: '/user/{name}/key',
    roles: everyone,
    response: 'keys',
    links: [
      { rel: 'down', on: 'service' },
      { rel: 'down', on: 'user' },
      { rel: 'up', on: 'key' },
    ],
    summary: 'Lists the API keys of a user.',
  },
  deleteKey: {
    method: 'DELETE',
    path: '/user/{name}/key/{keyId}',
    roles: everyone,
    response: 'operationResponse',
    links: [{ rel: 'remove', on: 'key' }],
    summary: 'Revokes an API key.',
  },
  findAuditEvents: {
    method: 'GET',
    path: '/audit',
    roles: admin,
    query: {
      pageSize: { type: 'integer', help: 'Rows of a page; without it the list is whole.' },
      page: { type: 'integer', help: 'Number of the page, from 1.' },
    },
    response: 'auditEvents',
    links: [{ rel: 'down', on: 'service' }],
    summary: 'Lists who did what, newest first.',
  },
});
