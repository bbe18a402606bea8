import type { Instance } from '../domain/model.js';
import { INSTANCE_STATES } from '../domain/states.js';
import { links } from './link.js';
import { attribute, element, elements, hosts, oneOf, required, type Shape, type WireRecord } from './shape.js';
import { defined, type Rows, type Surroundings, some, type Thing } from './thing.js';

export const STATE_WORDS = [...INSTANCE_STATES, ...INSTANCE_STATES.map((state) => state.toLowerCase())];

export const instanceShape: Shape = {
  name: 'instance',
  fields: [
    attribute('instanceId', 'integer', required),
    attribute('instanceName', 'string', required),
    attribute('state', 'string', oneOf(STATE_WORDS)),
    attribute('processes', 'integer', required),
    attribute('envId', 'integer'),
    attribute('appId', 'integer'),
    attribute('versionId', 'integer'),
    attribute('memory', 'integer'),
    attribute('disk', 'integer'),
    attribute('initialState'),
    attribute('defaultInstance', 'boolean'),
    attribute('observedAt'),
    element('description'),
    hosts(),
    element('uri'),
    element('reason'),
    elements('remark', 'remarks', 'string'),
    links,
  ],
};

export function instanceRecord(instance: Instance, surroundings: Surroundings): WireRecord {
  return defined({
    instanceId: instance.instanceId,
    instanceName: instance.name,
    state: instance.state,
    processes: instance.processes,
    envId: instance.envId,
    appId: instance.appId,
    versionId: instance.versionId,
    memory: instance.memory,
    disk: instance.disk,
    initialState: instance.initialState,
    defaultInstance: instance.defaultInstance,
    observedAt: instance.observedAt,
    description: instance.description,
    uri: instance.uri,
    reason: instance.reason,
    remarks: some(instance.remarks),
    links: some(surroundings.links),
  });
}

/** As a document of its own it answers start: the old clients of 1.6 read `uris` there. */
export const instanceThing: Thing<Instance> = {
  shape: instanceShape,
  record(instance, surroundings) {
    const uris = instance.uri === undefined ? undefined : [hostOf(instance.uri)];
    return defined({ ...instanceRecord(instance, surroundings), uris });
  },
};

export const instanceRows: Rows<Instance> = {
  list: {
    name: 'instances',
    row: {
      name: 'instance',
      fields: [
        element('id', 'integer', required),
        element('name', 'string', required),
        element('description', 'string', required),
        element('uri', 'string', required),
        element('status', 'string', oneOf(INSTANCE_STATES)),
        element('appId', 'integer', required),
        element('versionId', 'integer', required),
        element('envId', 'integer'),
        element('processes', 'integer', required),
        element('address'),
        element('reason'),
        links,
      ],
    },
  },
  record: (instance, { self, links }) =>
    defined({
      id: instance.instanceId,
      name: instance.name,
      description: instance.description ?? '',
      uri: self,
      status: instance.state,
      appId: instance.appId,
      versionId: instance.versionId,
      envId: instance.envId,
      processes: instance.processes,
      address: instance.uri,
      reason: instance.reason,
      links: some(links),
    }),
};

/** Old readers put `http://` in front: host, port and path only. */
export function hostOf(uri: string): string {
  return uri.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/\/$/, '');
}
