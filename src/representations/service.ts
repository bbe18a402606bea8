import type { ServiceDescription } from '../domain/views.js';
import { links } from './link.js';
import { attribute, elements, required } from './shape.js';
import { defined, some, type Thing } from './thing.js';

/** What answers at the base: the way in for those who know nothing but its address. */
export const serviceThing: Thing<ServiceDescription> = {
  shape: {
    name: 'service',
    fields: [
      attribute('name', 'string', required),
      attribute('version', 'string', required),
      attribute('api', 'string', required),
      attribute('platform'),
      elements('platform', 'platforms', 'string'),
      links,
    ],
  },
  record: ({ version, platform, platforms }, { links }) =>
    defined({ name: 'COAPS', version, api: '1.6', platform, platforms: some(platforms), links: some(links) }),
};
