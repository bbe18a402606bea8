import type { ApplicationDescriptor, EnvironmentDescriptor, Manifest, VersionDescriptor } from '../domain/manifest.js';
import { manifestShape } from './manifest-shape.js';
import type { WireRecord } from './shape.js';
import { defined, some } from './thing.js';
import { writeXml } from './xml.js';

/** Writes a descriptor; `readManifest` reads it back equal. */
export function writeManifest(manifest: Manifest): string {
  return writeXml(manifestShape, manifestRecord(manifest));
}

/** The JSON form of a descriptor. */
export function manifestRecord({ name, description, application, environment }: Manifest): WireRecord {
  return defined({
    name,
    description,
    paas_application: application && applicationRecord(application),
    paas_environment: environment && environmentRecord(environment),
  });
}

function applicationRecord(descriptor: ApplicationDescriptor): WireRecord {
  const { name, environmentName, multitenant, description, versions } = descriptor;
  return defined({
    name,
    environment: environmentName,
    multitenant: multitenant === undefined ? undefined : multitenant ? 'yes' : 'no',
    description,
    paas_application_version: some(versions.map(versionRecord)),
  });
}

function versionRecord({ name, label, description, deployables, instances }: VersionDescriptor): WireRecord {
  return defined({
    name,
    label,
    description,
    paas_application_deployable: some(
      deployables.map((one) =>
        defined({
          name: one.name,
          content_type: one.contentType,
          location: one.location,
          multitenancy_level: one.multitenancyLevel,
        }),
      ),
    ),
    paas_application_version_instance: some(
      instances.map((one) =>
        defined({
          name: one.name,
          initial_state: one.initialState,
          default_instance: one.defaultInstance,
          memory: one.memory,
          disk: one.disk,
          description: one.description,
        }),
      ),
    ),
  });
}

function environmentRecord(descriptor: EnvironmentDescriptor): WireRecord {
  const { name, template, provider, memory, disk, description, nodes, variables } = descriptor;
  const values = Object.entries(variables).map(([key, value]) => ({ name: key, value }));
  return defined({
    name,
    template,
    provider,
    paas_environment_template: defined({
      name: template,
      memory,
      disk,
      description,
      paas_environment_node: some(
        nodes.map((node) =>
          defined({ content_type: node.contentType, name: node.name, version: node.version, provider: node.provider }),
        ),
      ),
      paas_environment_configuration: values.length > 0 ? { paas_environment_variable: values } : undefined,
    }),
  });
}
