import type { Application, Artefact, Environment, Instance, Task, User, Version } from '../../src/domain/model.js';

export const AT = '2026-11-21T20:15:00.000Z';
export const instance: Instance = {
  appId: 21,
  versionId: 1,
  instanceId: 1,
  name: 'Instance1',
  state: 'STARTED',
  remarks: [],
  processes: 1,
  envId: 1,
  uri: 'http://petclinic.example.org',
};
export const artefact: Artefact = { name: 'petclinic.war', type: 'war', size: 10, sha256: 'ab'.repeat(32) };
export const version: Version = {
  appId: 21,
  versionId: 1,
  name: 'version1.0',
  label: '1.0',
  createdAt: AT,
  deployables: [{ name: 'petclinic.war', contentType: 'artifact', artefact }],
  instances: [instance],
};
export const application: Application = {
  appId: 21,
  name: 'PetClinic',
  description: 'Vets & pets',
  tenant: 'red',
  multitenant: false,
  createdBy: 'ada',
  createdAt: AT,
  versions: [version],
};
export const environment: Environment = {
  envId: 1,
  name: 'JavaWebEnv',
  description: 'TomcatServerEnvironmentTemplate',
  platform: 'CF',
  tenant: 'red',
  createdBy: 'ada',
  createdAt: AT,
  memory: 512,
  nodes: [
    { name: 'tomcat', contentType: 'container', version: '' },
    { name: 'mysql', contentType: 'database' },
  ],
  variables: {},
  state: 'STARTED',
  remarks: [],
};
export const task: Task = {
  taskId: 7,
  action: 'deployApplication',
  state: 'RUNNING',
  progress: 40,
  steps: [{ name: 'upload', state: 'DONE', startedAt: AT, endedAt: AT }],
  appId: 21,
  versionId: 1,
  instanceId: 1,
  envId: 1,
  tenant: 'red',
  createdBy: 'ada',
  createdAt: AT,
  startedAt: AT,
};
export const user: User = { uid: 1, name: 'ada', role: 'user', tenant: 'red', credit: 50, createdAt: AT };
export const BYTES = Buffer.from('0123456789');
