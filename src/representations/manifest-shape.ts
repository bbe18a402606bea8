import { attribute, element, elements, oneOf, required, type Shape } from './shape.js';

/** The descriptor in the younger generation's form, which is the one that is written; the reader takes both. */
export const manifestShape: Shape = {
  name: 'paas_application_manifest',
  fields: [
    attribute('name'),
    element('description'),
    element('paas_application', {
      name: 'paas_application',
      fields: [
        attribute('name'),
        attribute('environment'),
        attribute('multitenant', 'string', { values: ['yes', 'no'] }),
        element('description'),
        repeated('paas_application_version', {
          name: 'paas_application_version',
          fields: [
            attribute('name'),
            attribute('label'),
            element('description'),
            repeated('paas_application_deployable', {
              name: 'paas_application_deployable',
              fields: [
                attribute('name', 'string', required),
                attribute('content_type', 'string', oneOf(['artifact', 'folder'])),
                attribute('location'),
                attribute('multitenancy_level'),
              ],
            }),
            repeated('paas_application_version_instance', {
              name: 'paas_application_version_instance',
              fields: [
                attribute('name'),
                attribute('initial_state'),
                attribute('default_instance', 'boolean'),
                attribute('memory', 'integer'),
                attribute('disk', 'integer'),
                attribute('description'),
              ],
            }),
          ],
        }),
      ],
    }),
    element('paas_environment', {
      name: 'paas_environment',
      fields: [
        attribute('name'),
        attribute('template'),
        attribute('provider'),
        element('paas_environment_template', {
          name: 'paas_environment_template',
          fields: [
            attribute('name'),
            attribute('memory', 'integer'),
            attribute('disk', 'integer'),
            element('description'),
            repeated('paas_environment_node', {
              name: 'paas_environment_node',
              fields: [
                attribute('content_type', 'string', required),
                attribute('name', 'string', required),
                attribute('version'),
                attribute('provider'),
              ],
            }),
            element('paas_environment_configuration', {
              name: 'paas_environment_configuration',
              fields: [
                repeated('paas_environment_variable', {
                  name: 'paas_environment_variable',
                  fields: [attribute('name', 'string', required), attribute('value', 'string', required)],
                }),
              ],
            }),
          ],
        }),
      ],
    }),
  ],
};

/** In a descriptor's JSON form the array has the element's name. */
function repeated(name: string, shape: Shape) {
  return elements(name, name, shape);
}

export const userRequestShape: Shape = {
  name: 'user',
  fields: ['name', 'password', 'role', 'tenant', 'email', 'firstName', 'lastName', 'affiliation'].map((name) =>
    attribute(name),
  ),
};

export const passwordRequestShape: Shape = {
  name: 'password',
  fields: [attribute('password', 'string', required)],
};

export const keyRequestShape: Shape = { name: 'key', fields: [attribute('label')] };
