import { actions } from '../action.js';

const everyone = ['user', 'admin'] as const;

export const instanceActions = actions({
  createApplicationVersionInstance: {
    method: 'POST',
    path: '/app/{appId}/version/{versionId}/instance',
    roles: everyone,
    body: 'manifest',
    response: 'instance',
    summary: 'Creates an instance of a version.',
  },
  findApplicationVersionInstances: {
    method: 'GET',
    path: '/app/{appId}/version/{versionId}/instances',
    aliases: ['GET /app/{appId}/version/{versionId}/instance'],
    roles: everyone,
    response: 'instances',
    summary: 'Lists the instances of a version.',
  },
  describeApplicationVersionInstance: {
    method: 'GET',
    path: '/app/{appId}/version/{versionId}/instance/{instanceId}',
    roles: everyone,
    response: 'instance',
    summary: 'Describes an instance.',
  },
  deleteApplicationVersionInstance: {
    method: 'DELETE',
    path: '/app/{appId}/version/{versionId}/instance/{instanceId}/delete',
    aliases: ['DELETE /app/{appId}/version/{versionId}/instance/{instanceId}'],
    roles: everyone,
    durable: true,
    response: 'operationResponse',
    summary: 'Deletes an instance; a deployed one is undeployed first.',
  },
  startApplicationVersionInstance: {
    method: 'POST',
    path: '/app/{appId}/version/{versionId}/instance/{instanceId}/action/start',
    roles: everyone,
    durable: true,
    response: 'instance',
    summary: 'Starts an application version instance.',
  },
  stopApplicationVersionInstance: {
    method: 'POST',
    path: '/app/{appId}/version/{versionId}/instance/{instanceId}/action/stop',
    roles: everyone,
    durable: true,
    response: 'instance',
    summary: 'Stops an application version instance.',
  },
  restartApplicationVersionInstance: {
    method: 'POST',
    path: '/app/{appId}/version/{versionId}/instance/{instanceId}/action/restart',
    roles: everyone,
    durable: true,
    response: 'instance',
    summary: 'Restarts an application version instance.',
  },
  getInstanceLogs: {
    method: 'GET',
    path: '/app/{appId}/version/{versionId}/instance/{instanceId}/logs',
    roles: everyone,
    needs: 'logs',
    query: {
      lines: { type: 'integer', help: 'How many recent lines; 100 without it.' },
      follow: { type: 'boolean', help: 'Stays open and streams what comes.' },
    },
    response: 'logs',
    summary: "The application's output.",
  },
});
