import type { Environment, EnvironmentNode } from '../domain/model.js';
import { INSTANCE_STATES } from '../domain/states.js';
import { links } from './link.js';
import { attribute, element, elements, oneOf, required, type Shape, type WireRecord } from './shape.js';
import { defined, type Rows, some, type Thing } from './thing.js';

const configurationShape: Shape = {
  name: 'configuration',
  fields: [
    elements('entry', 'entries', {
      name: 'entry',
      fields: [attribute('key', 'string', required), attribute('value', 'string', required), attribute('version')],
    }),
  ],
};

const environmentShape: Shape = {
  name: 'environment',
  fields: [
    attribute('envId', 'integer', required),
    attribute('envName', 'string', required),
    attribute('envMemory', 'integer'),
    attribute('status', 'string', oneOf(INSTANCE_STATES)),
    attribute('platform', 'string', required),
    attribute('envDisk', 'integer'),
    attribute('template'),
    attribute('tenant', 'string', required),
    attribute('createdAt', 'string', required),
    element('description', 'string', required),
    element('configuration', configurationShape, required),
    elements('variable', 'variables', {
      name: 'variable',
      fields: [attribute('name', 'string', required), attribute('value', 'string', required)],
    }),
    elements('remark', 'remarks', 'string'),
    links,
  ],
};

export const environmentThing: Thing<Environment> = {
  shape: environmentShape,
  record: (environment, { links }) =>
    defined({
      envId: environment.envId,
      envName: environment.name,
      envMemory: environment.memory,
      status: environment.state,
      platform: environment.platform,
      envDisk: environment.disk,
      template: environment.template,
      tenant: environment.tenant,
      createdAt: environment.createdAt,
      description: environment.description ?? '',
      configuration: defined({ entries: some(environment.nodes.map(entry)) }),
      variables: some(Object.entries(environment.variables).map(([name, value]) => ({ name, value }))),
      remarks: some(environment.remarks),
      links: some(links),
    }),
};

/** The servers of 2013 called a database `service` here. */
function entry({ contentType, name, version }: EnvironmentNode): WireRecord {
  return defined({
    key: contentType === 'database' ? 'service' : contentType,
    value: name,
    version: version || undefined,
  });
}

export const environmentRows: Rows<Environment> = {
  list: {
    name: 'environments',
    row: {
      name: 'environment',
      fields: [
        element('id', 'integer', required),
        element('name', 'string', required),
        element('description', 'string', required),
        element('uri', 'string', required),
        element('status', 'string', oneOf(INSTANCE_STATES)),
        element('platform', 'string', required),
        links,
      ],
    },
  },
  record: (environment, { self, links }) =>
    defined({
      id: environment.envId,
      name: environment.name,
      description: environment.description ?? '',
      uri: self,
      status: environment.state,
      platform: environment.platform,
      links: some(links),
    }),
};
