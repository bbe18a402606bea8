import { attribute, elements, required, type Shape } from './shape.js';

/** §7 of the specification. `type` and `name` stand on links to objects only. */
export const linkShape: Shape = {
  name: 'Link',
  fields: [
    attribute('rel', 'string', required),
    attribute('type'),
    attribute('href', 'string', required),
    attribute('name'),
  ],
};

/** Every document and row ends with them. */
export const links = elements('Link', 'links', linkShape);
