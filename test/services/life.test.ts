import { Fault } from '../../src/domain/errors.js';
import {
  ADA,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  NOTHING,
  openTestServices,
  site,
  type TestServices,
  uploadOf,
} from '../support/services.js';

let services: TestServices;
beforeEach(async () => {
  services = await openTestServices();
});
afterEach(() => services.close());

describe('the usage scenario, action by action', () => {
  test('of the specification: version and instance addressed by their numbers', async () => {
    const { environments, applications, versions, instances, deployments } = services;
    const { envId } = finished(await environments.create(as(ADA), 'MEM', environmentManifest()));
    const { appId } = await applications.create(ADA, { application: { name: 'PetClinic', versions: [] } });
    const { versionId } = await versions.create(
      ADA,
      appId,
      uploadOf(services, await site('one'), 'site.zip'),
      as(ADA).signal,
    );
    const { instanceId } = await instances.create(ADA, appId, versionId, {});
    expect([envId, appId, versionId, instanceId]).toEqual([1, 1, 1, 1]);
    const key = { appId, versionId, instanceId };
    const deployed = finished(await deployments.deploy(as(ADA), { ...key, envId }, NOTHING));
    expect(deployed.versions[0]?.instances[0]).toMatchObject({
      state: 'STOPPED',
      envId,
      name: 'Instance1',
      processes: 1,
    });
    const started = finished(await instances.act(as(ADA), key, 'start'));
    expect(started).toMatchObject({ state: 'STARTED', uri: expect.stringMatching(/^http:/) });
    expect(await (await fetch(started.uri ?? '')).json()).toMatchObject({ application: 'PetClinic', version: 1 });
    expect((await environments.describe(ADA, envId)).state).toBe('STARTED');
    const stopped = finished(await instances.act(as(ADA), key, 'stop'));
    expect(stopped.state).toBe('STOPPED');
    finished(await deployments.undeploy(as(ADA), { ...key, envId }));
    expect(await instances.describe(ADA, key)).toMatchObject({ state: 'CREATED' });
    expect(finished(await environments.delete(as(ADA), envId)).value).toBe('The environment with ID 1 was deleted.');
    expect(finished(await applications.delete(as(ADA), appId)).value).toBe('The application with ID 1 was deleted.');
    await expect(applications.describe(ADA, appId)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await services.platform.deployments(as(ADA).signal)).toEqual([]);
    expect(await services.platform.spaces(as(ADA).signal)).toEqual([]);
  });

  test('of the younger clients: one document, a file with deploy, actions on the application', async () => {
    const { environments, applications, deployments, actions } = services;
    const manifest = { ...applicationManifest([], 'C:\\Users\\sellami\\deployable'), ...environmentManifest() };
    const { envId } = finished(await environments.create(as(ADA), 'MEM', manifest));
    const { appId } = await applications.create(ADA, manifest);
    const file = uploadOf(services, await site('one'));
    const deployed = finished(await deployments.deploy(as(ADA), { appId, envId }, file));
    const [version] = deployed.versions;
    expect(version?.deployables[0]?.artefact).toMatchObject({ name: 'site.zip', type: 'zip' });
    expect(version?.instances).toMatchObject([{ instanceId: 1, name: 'Instance1', state: 'STOPPED' }]);
    const started = finished(await actions.act(as(ADA), appId, 'start'));
    expect(started.versions[0]?.instances[0]?.state).toBe('STARTED');
    const scaled = finished(await actions.scale(as(ADA), appId, 3));
    expect(scaled.versions[0]?.instances[0]).toMatchObject({ state: 'STARTED', processes: 3 });
    finished(await actions.act(as(ADA), appId, 'restart'));
    finished(await actions.act(as(ADA), appId, 'stop'));
    const undeployed = finished(await deployments.undeploy(as(ADA), { appId, envId }));
    expect(undeployed.versions[0]?.instances[0]).toMatchObject({ state: 'CREATED', processes: 3 });
  });

  test('tells its steps and ends them all', async () => {
    const { envId, appId } = await deployedSite();
    finished(await services.environments.act(as(ADA), envId, 'start'));
    const tasks = [];
    for await (const task of (await services.tasks.list(ADA)).items) tasks.push(task);
    expect(tasks.map((task) => [task.action, task.state, task.progress])).toEqual([
      ['startEnvironment', 'SUCCEEDED', 100],
      ['deployApplicationOnEnvironment', 'SUCCEEDED', 100],
      ['createEnvironment', 'SUCCEEDED', 100],
    ]);
    const deploy = await services.tasks.describe(ADA, tasks[1]?.taskId ?? 0);
    expect(deploy).toMatchObject({ appId, envId, versionId: 1, instanceId: 1, createdBy: 'ada', tenant: 'acme' });
    expect(deploy.steps.map((step) => step.name)).toEqual([
      ...['prepare', 'deploy', 'deploy/upload', 'deploy/staging', 'deploy/release'],
    ]);
    expect(new Set(deploy.steps.map((step) => step.state))).toEqual(new Set(['DONE']));
    expect(deploy).not.toHaveProperty('input');
  });
});

describe('an upgrade', () => {
  test('by another file makes a new version, replaces the old one and keeps the address; the way back too', async () => {
    const { envId, appId, uri } = await deployedSite();
    finished(await services.actions.act(as(ADA), appId, 'start'));
    const second = uploadOf(services, await site('two'), 'site.zip');
    const upgraded = finished(await services.deployments.deploy(as(ADA), { appId, envId }, second));
    expect(upgraded.versions.map((one) => one.instances)).toMatchObject([
      [{ versionId: 1, state: 'CREATED' }],
      [{ versionId: 2, instanceId: 1, name: 'Instance1', state: 'STARTED', uri, envId }],
    ]);
    expect(upgraded.versions[0]?.instances[0]).not.toHaveProperty('uri');
    expect(await (await fetch(uri)).json()).toMatchObject({ version: 2 });
    const back = finished(
      await services.deployments.deploy(as(ADA), { appId, envId, versionId: 1, instanceId: 1 }, NOTHING),
    );
    expect(back.versions.map((one) => one.instances[0]?.state)).toEqual(['STARTED', 'CREATED']);
    expect(await (await fetch(uri)).json()).toMatchObject({ version: 1 });
  });

  test('that fails leaves the old version serving, and says why', async () => {
    const { envId, appId, uri } = await deployedSite();
    finished(await services.actions.act(as(ADA), appId, 'start'));
    services.platform.trouble.application = 'staging';
    const second = uploadOf(services, await site('two'), 'site.zip');
    await expect(services.deployments.deploy(as(ADA), { appId, envId }, second)).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('Staging failed'),
    });
    const application = await services.applications.describe(ADA, appId);
    expect(application.versions.map((one) => one.instances[0])).toMatchObject([
      { state: 'STARTED', envId, uri },
      { state: 'FAILED', reason: expect.stringContaining('Staging failed') },
    ]);
    expect(application.versions[1]?.instances[0]).not.toHaveProperty('envId');
    expect(await (await fetch(uri)).json()).toMatchObject({ version: 1 });
    delete services.platform.trouble.application;
    const third = finished(
      await services.deployments.deploy(as(ADA), { appId, envId }, uploadOf(services, await site('two'))),
    );
    expect(third.versions.map((one) => one.instances[0]?.state)).toEqual(['CREATED', 'STARTED']);
    finished(await services.actions.act(as(ADA), appId, 'stop'));
  });

  test('with the same bytes changes nothing', async () => {
    const { envId, appId } = await deployedSite();
    const again = uploadOf(services, await site('one'), 'other-name.zip');
    const { versions } = finished(await services.deployments.deploy(as(ADA), { appId, envId }, again));
    expect(versions).toHaveLength(1);
  });

  test('keeps the numbers of the instances, so that each replaces its own predecessor', async () => {
    const { envId, appId } = await deployedSite(['One', 'Two', 'Three']);
    finished(await services.instances.delete(as(ADA), { appId, versionId: 1, instanceId: 2 }));
    const second = uploadOf(services, await site('two'));
    const { versions } = finished(await services.deployments.deploy(as(ADA), { appId, envId }, second));
    expect(versions[1]?.instances.map((one) => [one.instanceId, one.name, one.state])).toEqual([
      [1, 'One', 'STOPPED'],
      [3, 'Three', 'STOPPED'],
    ]);
    expect(await services.platform.deployments(as(ADA).signal)).toHaveLength(2);
  });
});

describe('a second environment', () => {
  test('gets an instance of its own, and each place its own upgrade', async () => {
    const { envId, appId } = await deployedSite();
    const other = finished(await services.environments.create(as(ADA), 'MEM', environmentManifest()));
    finished(await services.deployments.deploy(as(ADA), { appId, envId: other.envId }, NOTHING));
    const second = uploadOf(services, await site('two'));
    finished(await services.deployments.deploy(as(ADA), { appId, envId: other.envId }, second));
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    const { versions } = await services.applications.describe(ADA, appId);
    expect(versions.flatMap((one) => one.instances).map((one) => [one.versionId, one.instanceId, one.envId])).toEqual([
      [1, 1, undefined],
      [1, 2, undefined],
      [2, 1, envId],
      [2, 2, other.envId],
    ]);
    expect(await services.platform.deployments(as(ADA).signal)).toHaveLength(2);
  });
});

/** An environment, and an application of one version that is deployed on it. */
async function deployedSite(names = ['Instance1']) {
  const { envId } = finished(await services.environments.create(as(ADA), 'MEM', environmentManifest()));
  const { appId } = await services.applications.create(ADA, applicationManifest(names));
  const upload = uploadOf(services, await site('one'), 'site.zip');
  const { versions } = finished(await services.deployments.deploy(as(ADA), { appId, envId }, upload));
  const uri = versions[0]?.instances[0]?.uri;
  if (!uri) throw new Fault('Internal Failure', 'A deployed instance has a uri.');
  return { envId, appId, uri };
}
