import type { Artefact } from '../domain/model.js';
import { links } from './link.js';
import { element, oneOf, required } from './shape.js';
import { defined, type Rows, some } from './thing.js';

export const artefactRows: Rows<Artefact> = {
  list: {
    name: 'artefacts',
    row: {
      name: 'artefact',
      fields: [
        element('name', 'string', required),
        element('uri', 'string', required),
        element('type', 'string', oneOf(['war', 'ear', 'jar', 'zip'])),
        element('size', 'integer', required),
        element('sha256', 'string', required),
        links,
      ],
    },
  },
  record: ({ name, type, size, sha256 }, { self, links }) =>
    defined({ name, uri: self, type, size, sha256, links: some(links) }),
};
