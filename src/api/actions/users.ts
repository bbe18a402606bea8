import { actions } from '../action.js';

const everyone = ['user', 'admin'] as const;
const admin = ['admin'] as const;

export const userActions = actions({
  findUsers: { method: 'GET', path: '/user', roles: admin, response: 'users', summary: 'Lists the users.' },
  createUser: {
    method: 'POST',
    path: '/user',
    roles: admin,
    body: 'user',
    response: 'user',
    summary: 'Creates a user.',
  },
  describeUser: { method: 'GET', path: '/user/{name}', roles: admin, response: 'user', summary: 'Describes a user.' },
  updateUser: {
    method: 'PUT',
    path: '/user/{name}',
    roles: admin,
    body: 'user',
    response: 'user',
    summary: 'Changes role, tenant and particulars of a user.',
  },
  deleteUser: {
    method: 'DELETE',
    path: '/user/{name}',
    roles: admin,
    response: 'operationResponse',
    summary: 'Deletes a user.',
  },
  changePassword: {
    method: 'PUT',
    path: '/user/{name}/password',
    roles: everyone,
    body: 'password',
    response: 'operationResponse',
    summary: "Changes a user's password: one's own, or as admin anyone's.",
  },
  createKey: {
    method: 'POST',
    path: '/user/{name}/key',
    roles: everyone,
    body: 'key',
    response: 'key',
    summary: 'Creates an API key; its secret is shown this once.',
  },
  findKeys: {
    method: 'GET',
    path: '/user/{name}/key',
    roles: everyone,
    response: 'keys',
    summary: 'Lists the API keys of a user.',
  },
  deleteKey: {
    method: 'DELETE',
    path: '/user/{name}/key/{keyId}',
    roles: everyone,
    response: 'operationResponse',
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
    summary: 'Lists who did what, newest first.',
  },
});
