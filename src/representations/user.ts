import type { ApiKey, User } from '../domain/model.js';
import { ROLES } from '../domain/principal.js';
import { links } from './link.js';
import { attribute, element, oneOf, required, type Shape } from './shape.js';
import { defined, type Rows, some, type Thing } from './thing.js';

const userShape: Shape = {
  name: 'user',
  fields: [
    attribute('userId', 'integer', required),
    attribute('name', 'string', required),
    attribute('role', 'string', oneOf(ROLES)),
    attribute('tenant', 'string', required),
    attribute('email'),
    attribute('firstName'),
    attribute('lastName'),
    attribute('affiliation'),
    attribute('credit', 'integer', required),
    attribute('createdAt', 'string', required),
    links,
  ],
};

export const userThing: Thing<User> = {
  shape: userShape,
  record: (user, { links }) =>
    defined({
      userId: user.uid,
      name: user.name,
      role: user.role,
      tenant: user.tenant,
      email: user.email,
      firstName: user.firstName,
      lastName: user.lastName,
      affiliation: user.affiliation,
      credit: user.credit,
      createdAt: user.createdAt,
      links: some(links),
    }),
};

export const userRows: Rows<User> = {
  list: {
    name: 'users',
    row: {
      name: 'user',
      fields: [
        element('id', 'integer', required),
        element('name', 'string', required),
        element('uri', 'string', required),
        element('role', 'string', oneOf(ROLES)),
        element('tenant', 'string', required),
        links,
      ],
    },
  },
  record: (user, { self, links }) =>
    defined({ id: user.uid, name: user.name, uri: self, role: user.role, tenant: user.tenant, links: some(links) }),
};

const keyShape: Shape = {
  name: 'key',
  fields: [
    attribute('keyId', 'string', required),
    attribute('user', 'string', required),
    attribute('label'),
    attribute('secret'),
    attribute('createdAt', 'string', required),
    links,
  ],
};

export const keyThing: Thing<ApiKey> = {
  shape: keyShape,
  record: ({ keyId, user, label, secret, createdAt }, { links }) =>
    defined({ keyId, user, label, secret, createdAt, links: some(links) }),
};

/** Rows never hold a secret. */
export const keyRows: Rows<ApiKey> = {
  list: {
    name: 'keys',
    row: {
      name: 'key',
      fields: [
        element('id', 'string', required),
        element('name', 'string', required),
        element('createdAt', 'string', required),
        links,
      ],
    },
  },
  record: ({ keyId, label, createdAt }, { links }) =>
    defined({ id: keyId, name: label ?? '', createdAt, links: some(links) }),
};
