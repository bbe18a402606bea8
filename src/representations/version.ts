import type { Deployable, Instance, Version } from '../domain/model.js';
import { instanceRecord, instanceShape } from './instance.js';
import { links } from './link.js';
import { attribute, element, elements, oneOf, required, type Shape, type WireRecord } from './shape.js';
import { defined, type Rows, some, type Thing } from './thing.js';

const deployableShape: Shape = {
  name: 'deployable',
  fields: [
    attribute('deployableName', 'string', required),
    attribute('deployableType', 'string', oneOf(['artifact', 'folder'])),
    attribute('artefact'),
    attribute('type'),
    attribute('size', 'integer'),
    attribute('sha256'),
    attribute('location'),
    attribute('multitenancyLevel'),
  ],
};

export const versionShape: Shape = {
  name: 'version',
  fields: [
    attribute('versionId', 'integer', required),
    attribute('name'),
    attribute('label'),
    attribute('appId', 'integer'),
    attribute('createdAt', 'string', required),
    element('description'),
    elements('deployable', 'deployables', deployableShape),
    elements('instance', 'instances', instanceShape),
    links,
  ],
};

/** `instanceForm` tells how the instances stand inside: an application document wants them otherwise than a version's own. */
export function versionRecord(version: Version, instanceForm: (instance: Instance) => WireRecord): WireRecord {
  return defined({
    versionId: version.versionId,
    name: version.name,
    label: version.label,
    createdAt: version.createdAt,
    description: version.description,
    deployables: some(version.deployables.map(deployableRecord)),
    instances: some(version.instances.map(instanceForm)),
  });
}

export const versionThing: Thing<Version> = {
  shape: versionShape,
  record: (version, { links }) =>
    defined({
      ...versionRecord(version, (instance) => instanceRecord(instance, { links: [] })),
      appId: version.appId,
      links: some(links),
    }),
};

function deployableRecord({ artefact, ...deployable }: Deployable): WireRecord {
  return defined({
    deployableName: deployable.name,
    deployableType: deployable.contentType,
    artefact: artefact?.name,
    type: artefact?.type,
    size: artefact?.size,
    sha256: artefact?.sha256,
    location: deployable.location && withoutCredentials(deployable.location),
    multitenancyLevel: deployable.multitenancyLevel,
  });
}

/** A location may be a URL with a password in it. */
function withoutCredentials(location: string): string {
  return location.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}

export const versionRows: Rows<Version> = {
  list: {
    name: 'versions',
    row: {
      name: 'version',
      fields: [
        element('id', 'integer', required),
        element('name', 'string', required),
        element('label', 'string', required),
        element('description', 'string', required),
        element('uri', 'string', required),
        links,
      ],
    },
  },
  record: (version, { self, links }) =>
    defined({
      id: version.versionId,
      name: version.name ?? '',
      label: version.label ?? '',
      description: version.description ?? '',
      uri: self,
      links: some(links),
    }),
};
