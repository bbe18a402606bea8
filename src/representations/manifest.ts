import { Fault } from '../domain/errors.js';
import type {
  ApplicationDescriptor,
  DeployableDescriptor,
  EnvironmentDescriptor,
  InstanceDescriptor,
  Manifest,
  VersionDescriptor,
} from '../domain/manifest.js';
import type { EnvironmentNode } from '../domain/model.js';
import { attributeOf, child, children, given, mebibytes, textOf, truth } from './reading.js';
import type { XmlElement } from './xml-tree.js';

/** Names of both generations: `paas_application_manifest` (1.5) and `paas_manifest` (1.6). */
const APPLICATION = ['paas_application'];
const VERSION = ['paas_application_version', 'paas_version'];
const DEPLOYABLE = ['paas_application_deployable', 'paas_deployable'];
const INSTANCE = ['paas_application_version_instance', 'paas_version_instance'];
const ENVIRONMENT = ['paas_environment'];
const TEMPLATE = ['paas_environment_template', 'paas_configuration_template'];
const NODE = ['paas_environment_node', 'paas_node'];

/**
 * Reads a descriptor of either generation. The root may have any name; a part of a manifest (a version, an environment) may be the
 * root itself. What is unknown is ignored. Throws Fault `InvalidValue` when nothing in it is a descriptor.
 */
export function readManifest(root: XmlElement): Manifest {
  const application = itself(root, APPLICATION) ?? child(root, ...APPLICATION);
  const environment = itself(root, ENVIRONMENT) ?? child(root, ...ENVIRONMENT) ?? child(application, ...ENVIRONMENT);
  const template =
    child(environment, ...TEMPLATE) ??
    child(application, ...TEMPLATE) ??
    itself(root, TEMPLATE) ??
    child(root, ...TEMPLATE);
  const versions = versionsIn(root, application);
  if (!application && !environment && !template && versions.length === 0) throw noDescriptor(root);
  return given<Manifest>({
    name: isPart(root) ? undefined : attributeOf(root, 'name'),
    description: isPart(root) ? undefined : textOf(root, 'description', 'paas_description'),
    application: unlessEmpty(readApplication(application, versions)),
    environment: environment || template ? readEnvironment(environment, template) : undefined,
  });
}

/** Environments of 1.6 come inside of an application about which nothing is said. */
function unlessEmpty(application: ApplicationDescriptor): ApplicationDescriptor | undefined {
  const { versions, ...rest } = application;
  return versions.length > 0 || Object.keys(rest).length > 0 ? application : undefined;
}

/** A part of a manifest that came without the manifest around it. */
function isPart({ name }: XmlElement): boolean {
  return [APPLICATION, VERSION, INSTANCE, ENVIRONMENT, TEMPLATE].some((names) => names.includes(name));
}

function itself(root: XmlElement, names: readonly string[]): XmlElement | undefined {
  return names.includes(root.name) ? root : undefined;
}

function noDescriptor(root: XmlElement): Fault {
  return new Fault(
    'InvalidValue',
    `The document${root.name ? ` <${root.name.slice(0, 60)}>` : ''} is no descriptor: it holds neither paas_application nor paas_environment.`,
  );
}

function versionsIn(root: XmlElement, application: XmlElement | undefined): VersionDescriptor[] {
  if (application) return children(application, ...VERSION).map(readVersion);
  const version = itself(root, VERSION) ?? child(root, ...VERSION);
  if (version) return [readVersion(version)];
  const instance = itself(root, INSTANCE) ?? child(root, ...INSTANCE);
  return instance ? [{ deployables: [], instances: [readInstance(instance)] }] : [];
}

function readApplication(element: XmlElement | undefined, versions: VersionDescriptor[]): ApplicationDescriptor {
  return given<ApplicationDescriptor>({
    name: attributeOf(element, 'name'),
    description: textOf(element, 'description'),
    environmentName: attributeOf(element, 'environment', 'environement'),
    multitenant: truth(attributeOf(element, 'multitenant')),
    versions,
  });
}

function readVersion(element: XmlElement): VersionDescriptor {
  return given<VersionDescriptor>({
    name: attributeOf(element, 'name'),
    label: attributeOf(element, 'label'),
    description: textOf(element, 'description'),
    deployables: children(element, ...DEPLOYABLE).map(readDeployable),
    instances: children(element, ...INSTANCE)
      // The client of 1.6 writes an empty element into each version.
      .filter((instance) => instance.attributes.size > 0)
      .map(readInstance),
  });
}

function readDeployable(element: XmlElement): DeployableDescriptor {
  const location = attributeOf(element, 'location');
  return given<DeployableDescriptor>({
    name: attributeOf(element, 'name') ?? location?.split(/[/\\]/).filter(Boolean).at(-1) ?? 'artefact',
    contentType: attributeOf(element, 'content_type')?.toLowerCase() === 'folder' ? 'folder' : 'artifact',
    location,
    multitenancyLevel: attributeOf(element, 'multitenancy_level'),
  });
}

function readInstance(element: XmlElement): InstanceDescriptor {
  return given<InstanceDescriptor>({
    name: attributeOf(element, 'name'),
    description: textOf(element, 'description'),
    initialState: attributeOf(element, 'initial_state', 'initial_stat', 'state'),
    defaultInstance: truth(attributeOf(element, 'default_instance')),
    memory: mebibytes(element, 'memory'),
    disk: mebibytes(element, 'disk'),
  });
}

function readEnvironment(element: XmlElement | undefined, template: XmlElement | undefined): EnvironmentDescriptor {
  return given<EnvironmentDescriptor>({
    name: attributeOf(element, 'name') ?? (element ? undefined : attributeOf(template, 'name')),
    description: textOf(element, 'description') ?? textOf(template, 'description'),
    template: attributeOf(element, 'template', 'config_template') ?? attributeOf(template, 'name'),
    provider: attributeOf(element, 'provider'),
    memory: mebibytes(template, 'memory') ?? mebibytes(element, 'memory'),
    disk: mebibytes(template, 'disk') ?? mebibytes(element, 'disk'),
    nodes: [...children(template, ...NODE), ...children(element, ...NODE)].flatMap(readNode),
    variables: Object.fromEntries([...readVariables(element), ...readVariables(template)]),
  });
}

/** A node without a name asks for nothing. */
function readNode(element: XmlElement): EnvironmentNode[] {
  const name = attributeOf(element, 'name');
  if (name === undefined) return [];
  return [
    given<EnvironmentNode>({
      name,
      contentType: attributeOf(element, 'content_type')?.toLowerCase() ?? 'container',
      version: attributeOf(element, 'version'),
      provider: attributeOf(element, 'provider'),
    }),
  ];
}

function readVariables(element: XmlElement | undefined): [string, string][] {
  const variables = children(element, 'paas_environment_configuration')
    .flatMap((configuration) => children(configuration, 'paas_environment_variable'))
    .map((variable) => [attributeOf(variable, 'name'), variable.attributes.get('value')] as const);
  const options = children(element, 'paas_configuration_option').map(
    (option) =>
      [
        attributeOf(option, 'option_name'),
        option.attributes.get('value') ?? option.attributes.get('default_value'),
      ] as const,
  );
  return [...variables, ...options].flatMap(([name, value]) => (name === undefined ? [] : [[name, value ?? '']]));
}
