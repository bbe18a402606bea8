import { actions } from '../action.js';

const everyone = ['user', 'admin'] as const;

export const versionActions = actions({
  createApplicationVersion: {
    method: 'POST',
    path: '/app/{appId}/version',
    aliases: ['POST /app/{appId}/version/create'],
    roles: everyone,
    body: 'upload',
    response: 'version',
    links: [
      { rel: 'add', on: 'application' },
      { rel: 'add', on: 'versions' },
    ],
    summary: 'Creates a version from a descriptor, with the artefact as a file or by its URL.',
  },
  findApplicationVersions: {
    method: 'GET',
    path: '/app/{appId}/version',
    roles: everyone,
    response: 'versions',
    shows: ['application'],
    links: [
      { rel: 'down', on: 'application' },
      { rel: 'up', on: 'version' },
    ],
    summary: 'Lists the versions of an application.',
  },
  describeApplicationVersion: {
    method: 'GET',
    path: '/app/{appId}/version/{versionId}',
    roles: everyone,
    response: 'version',
    shows: ['application'],
    links: [
      { rel: 'up', on: 'instance' },
      { rel: 'up', on: 'instances' },
      { rel: 'up', on: 'artefacts' },
    ],
    summary: 'Describes a version, with its instances.',
  },
  deleteApplicationVersion: {
    method: 'DELETE',
    path: '/app/{appId}/version/{versionId}/delete',
    aliases: ['DELETE /app/{appId}/version/{versionId}'],
    roles: everyone,
    durable: true,
    response: 'operationResponse',
    links: [{ rel: 'remove', on: 'version' }],
    summary: 'Deletes a version; deployed instances are undeployed first.',
  },
  findApplicationVersionArtefacts: {
    method: 'GET',
    path: '/artefact/{appId}/{versionId}',
    roles: everyone,
    response: 'artefacts',
    shows: ['application'],
    links: [{ rel: 'down', on: 'version' }],
    summary: 'Lists the artefacts of a version.',
  },
  downloadArtefact: {
    method: 'GET',
    path: '/artefact/{appId}/{versionId}/{name}',
    roles: everyone,
    response: 'bytes',
    links: [{ rel: 'alternate', on: 'artefact' }],
    summary: 'The bytes of an artefact.',
  },
});
