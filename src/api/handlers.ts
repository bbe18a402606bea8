import type { Services } from '../services/services.js';
import type { Handlers } from './table.js';

/** What each action does: one line that takes values to a service and gives its value back. */
export function createHandlers(services: Services): Handlers {
  const { applications, actions, versions, instances, environments, deployments, tasks, users, audit } = services;
  return {
    createApplication: ({ principal, body, query }) => applications.create(principal, body, query.multitenant),
    findApplications: ({ principal, query }) => applications.list(principal, query),
    deleteApplications: (call) => applications.deleteAll(call),
    describeApplication: ({ principal, params, fresh }) => applications.describe(principal, params.appId, fresh),
    updateApplication: ({ principal, params, body, query }) =>
      applications.update(principal, params.appId, body, query.multitenant),
    deleteApplication: (call) => applications.delete(call, call.params.appId),
    startApplication: (call) => actions.act(call, call.params.appId, 'start'),
    stopApplication: (call) => actions.act(call, call.params.appId, 'stop'),
    restartApplication: (call) => actions.act(call, call.params.appId, 'restart'),
    scaleApplication: (call) => actions.scale(call, call.params.appId, call.params.count),
    deployApplicationOnEnvironment: (call) => deployments.deploy(call, call.params, call.body),
    undeployApplicationFromEnvironment: (call) => deployments.undeploy(call, call.params),

    createApplicationVersion: ({ principal, params, body, signal }) =>
      versions.create(principal, params.appId, body, signal),
    findApplicationVersions: ({ principal, params }) => versions.list(principal, params.appId),
    describeApplicationVersion: ({ principal, params }) => versions.describe(principal, params.appId, params.versionId),
    deleteApplicationVersion: (call) => versions.delete(call, call.params.appId, call.params.versionId),
    findApplicationVersionArtefacts: ({ principal, params }) =>
      versions.artefacts(principal, params.appId, params.versionId),
    downloadArtefact: ({ principal, params }) =>
      versions.download(principal, params.appId, params.versionId, params.name),

    createApplicationVersionInstance: ({ principal, params, body }) =>
      instances.create(principal, params.appId, params.versionId, body),
    findApplicationVersionInstances: ({ principal, params }) =>
      instances.list(principal, params.appId, params.versionId),
    describeApplicationVersionInstance: ({ principal, params, fresh }) => instances.describe(principal, params, fresh),
    deleteApplicationVersionInstance: (call) => instances.delete(call, call.params),
    startApplicationVersionInstance: (call) => instances.act(call, call.params, 'start'),
    stopApplicationVersionInstance: (call) => instances.act(call, call.params, 'stop'),
    restartApplicationVersionInstance: (call) => instances.act(call, call.params, 'restart'),
    getInstanceLogs: ({ principal, params, query, signal }) => services.logs(principal, params, { ...query, signal }),

    createEnvironment: (call) => environments.create(call, call.platform, call.body),
    findEnvironments: ({ principal, query }) => environments.list(principal, query),
    getInformation: ({ platform, signal }) => services.information(platform, signal),
    getEnvironment: ({ principal, params, fresh }) => environments.describe(principal, params.envId, fresh),
    updateEnvironment: (call) => environments.update(call, call.params.envId, call.body),
    deleteEnvironment: (call) => environments.delete(call, call.params.envId),
    startEnvironment: (call) => environments.act(call, call.params.envId, 'start'),
    stopEnvironment: (call) => environments.act(call, call.params.envId, 'stop'),
    restartEnvironment: (call) => environments.act(call, call.params.envId, 'restart'),
    deployApplication: (call) => deployments.deploy(call, call.params, call.body),
    undeployApplication: (call) => deployments.undeploy(call, call.params),
    getDeployedApplicationVersionInstance: ({ principal, params, fresh }) =>
      environments.deployed(principal, params.envId, fresh),

    findTasks: ({ principal, query }) => tasks.list(principal, query),
    getTask: ({ principal, params }) => tasks.describe(principal, params.taskId),
    cancelTask: (call) => tasks.cancel(call, call.params.taskId),

    findUsers: () => users.list(),
    createUser: ({ body }) => users.create(body),
    describeUser: ({ params }) => users.describe(params.name),
    updateUser: ({ params, body }) => users.update(params.name, body),
    deleteUser: async ({ params }) => {
      await users.remove(params.name);
      return { value: `The user ${params.name} was deleted.` };
    },
    changePassword: async ({ principal, params, body }) => {
      await users.changePassword(principal, params.name, body.password);
      return { value: `The password of ${params.name} was changed.` };
    },
    createKey: ({ principal, params, body }) => users.createKey(principal, params.name, body.label),
    findKeys: ({ principal, params }) => users.findKeys(principal, params.name),
    deleteKey: async ({ principal, params }) => {
      await users.deleteKey(principal, params.name, params.keyId);
      return { value: `The key ${params.keyId} was revoked.` };
    },
    findAuditEvents: ({ query }) => audit.list(query),
  };
}
