import type { OfferedNode, PlatformInformation } from '../domain/model.js';
import { links } from './link.js';
import { attribute, element, elements, required, type Shape, type WireRecord } from './shape.js';
import { defined, some, type Thing } from './thing.js';

const offered = (name: string): Shape => ({
  name,
  fields: [attribute('name', 'string', required), elements('version', 'versions', 'string')],
});

export const informationThing: Thing<PlatformInformation> = {
  shape: {
    name: 'information',
    fields: [
      attribute('platform', 'string', required),
      attribute('adapter', 'string', required),
      elements('container', 'containers', offered('container')),
      elements('database', 'databases', offered('database')),
      elements('service', 'services', offered('offeredService')),
      element('memory', {
        name: 'memory',
        fields: [attribute('minimum', 'integer'), attribute('maximum', 'integer'), attribute('default', 'integer')],
      }),
      elements('remark', 'remarks', 'string'),
      links,
    ],
  },
  record: (information, { links }) =>
    defined({
      platform: information.platform,
      adapter: information.adapter,
      containers: some(information.containers.map(offeredRecord)),
      databases: some(information.databases.map(offeredRecord)),
      services: some(information.services.map(offeredRecord)),
      memory: information.memory && defined({ ...information.memory }),
      remarks: some(information.remarks),
      links: some(links),
    }),
};

function offeredRecord({ name, versions }: OfferedNode): WireRecord {
  return defined({ name, versions: some(versions) });
}
