import type { Application, Instance } from '../domain/model.js';
import { applicationState, INSTANCE_STATES, type InstanceState } from '../domain/states.js';
import { newestVersion } from '../domain/versions.js';
import type { ApplicationSummary } from '../domain/views.js';
import { hostOf, instanceRecord } from './instance.js';
import { links } from './link.js';
import { attribute, element, elements, hosts, oneOf, required, type Shape } from './shape.js';
import { defined, type Rows, some, type Thing } from './thing.js';
import { versionRecord, versionShape } from './version.js';

const applicationShape: Shape = {
  name: 'application',
  fields: [
    attribute('appId', 'integer', required),
    attribute('appName', 'string', required),
    attribute('status', 'string', oneOf(INSTANCE_STATES)),
    attribute('nbInstances', 'integer', required),
    attribute('envId', 'integer'),
    attribute('multitenant', 'string', oneOf(['yes', 'no'])),
    attribute('tenant', 'string', required),
    attribute('environment'),
    attribute('createdAt', 'string', required),
    element('description', 'string', required),
    hosts(),
    elements('version', 'versions', versionShape),
    links,
  ],
};

export const applicationThing: Thing<Application> = {
  shape: applicationShape,
  record(application, surroundings) {
    const deployed = deployedInstances(application);
    return defined({
      appId: application.appId,
      appName: application.name,
      status: deployedState(application),
      nbInstances: newestVersion(application)?.instances.length ?? 0,
      envId: deployed[0]?.envId,
      multitenant: application.multitenant ? 'yes' : 'no',
      tenant: application.tenant,
      environment: application.environmentName,
      createdAt: application.createdAt,
      description: application.description ?? '',
      uris: some(hostsOf(deployed)),
      versions: some(application.versions.map((version) => versionRecord(version, insideApplication))),
      links: some(surroundings.links),
    });
  },
};

/** One IDE of 2013 looks for the bare capital word of the state in the whole document: only the application's own may be it. */
function insideApplication(instance: Instance) {
  const { appId: _, versionId: __, ...rest } = instanceRecord(instance, { links: [] });
  return { ...rest, state: instance.state.toLowerCase() };
}

export const applicationRows: Rows<ApplicationSummary> = {
  list: {
    name: 'applications',
    row: {
      name: 'application',
      fields: [
        element('id', 'integer', required),
        element('name', 'string', required),
        element('description', 'string', required),
        element('uri', 'string', required),
        element('status', 'string', oneOf(INSTANCE_STATES)),
        links,
      ],
    },
  },
  record: (application, { self, links }) => ({
    id: application.appId,
    name: application.name,
    description: application.description ?? '',
    uri: self,
    status: application.state,
    links: some(links),
  }),
};

/** Over the instances on a platform (api.md §2, States). */
export function deployedState(application: Application): InstanceState {
  return applicationState(deployedInstances(application).map((instance) => instance.state));
}

/** The instances on a platform of the newest version that has any there. */
export function deployedInstances(application: Application): Instance[] {
  const versions = [...application.versions].sort((a, b) => b.versionId - a.versionId);
  for (const version of versions) {
    const deployed = version.instances.filter((instance) => instance.envId !== undefined);
    if (deployed.length > 0) return deployed;
  }
  return [];
}

function hostsOf(instances: readonly Instance[]): string[] {
  const first = instances.find((instance) => instance.uri !== undefined)?.uri;
  return first === undefined ? [] : [hostOf(first)];
}
