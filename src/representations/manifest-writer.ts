import type { ApplicationDescriptor, EnvironmentDescriptor, Manifest, VersionDescriptor } from '../domain/manifest.js';
import type { Layout } from './layout.js';
import { legalText } from './text.js';
import { buildElement, DECLARATION } from './xml.js';

/** Writes a descriptor in the younger generation's form (`paas_application_manifest`); `readManifest` reads it back equal. */
export function writeManifest(manifest: Manifest): string {
  const parts = [
    ...described(manifest.description),
    ...(manifest.application ? [application(manifest.application)] : []),
    ...(manifest.environment ? [environment(manifest.environment)] : []),
  ];
  return DECLARATION + buildElement(tree('paas_application_manifest', { name: manifest.name }, parts));
}

function application(descriptor: ApplicationDescriptor): Layout {
  const { name, environmentName, multitenant, description, versions } = descriptor;
  return tree(
    'paas_application',
    {
      name,
      environment: environmentName,
      multitenant: multitenant === undefined ? undefined : multitenant ? 'yes' : 'no',
    },
    [...described(description), ...versions.map(version)],
  );
}

function version({ name, label, description, deployables, instances }: VersionDescriptor): Layout {
  return tree('paas_application_version', { name, label }, [
    ...described(description),
    ...deployables.map((one) =>
      tree('paas_application_deployable', {
        name: one.name,
        content_type: one.contentType,
        location: one.location,
        multitenancy_level: one.multitenancyLevel,
      }),
    ),
    ...instances.map((one) =>
      tree('paas_application_version_instance', {
        name: one.name,
        initial_state: one.initialState,
        default_instance: one.defaultInstance,
        memory: one.memory,
        disk: one.disk,
        description: one.description,
      }),
    ),
  ]);
}

function environment(descriptor: EnvironmentDescriptor): Layout {
  const { name, template, provider, memory, disk, description, nodes, variables } = descriptor;
  const values = Object.entries(variables).map(([key, value]) =>
    tree('paas_environment_variable', { name: key, value }),
  );
  return tree('paas_environment', { name, template, provider }, [
    tree('paas_environment_template', { name: template, memory, disk }, [
      ...described(description),
      ...nodes.map((node) =>
        tree('paas_environment_node', {
          content_type: node.contentType,
          name: node.name,
          version: node.version,
          provider: node.provider,
        }),
      ),
      ...(values.length > 0 ? [tree('paas_environment_configuration', {}, values)] : []),
    ]),
  ]);
}

function described(description: string | undefined): Layout[] {
  return description === undefined ? [] : [{ ...tree('description', {}), text: legalText(description) }];
}

function tree(
  name: string,
  attributes: Record<string, string | number | boolean | undefined>,
  children: Layout[] = [],
): Layout {
  const given = Object.entries(attributes).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, legalText(String(value))]],
  );
  return { name, attributes: given, children, text: '' };
}
