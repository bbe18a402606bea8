import type { AuditEvent } from '../domain/model.js';
import { links } from './link.js';
import { element, required } from './shape.js';
import { defined, type Rows, some } from './thing.js';

export const auditEventRows: Rows<AuditEvent> = {
  list: {
    name: 'auditEvents',
    row: {
      name: 'auditEvent',
      fields: [
        element('id', 'integer', required),
        element('at', 'string', required),
        element('user', 'string', required),
        element('action', 'string', required),
        element('target', 'string', required),
        element('status', 'integer', required),
        element('requestId', 'string', required),
        links,
      ],
    },
  },
  record: ({ id, at, user, action, target, status, requestId }, { links }) =>
    defined({ id, at, user, action, target, status, requestId, links: some(links) }),
};
