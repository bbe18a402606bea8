import { ADA, as, environmentManifest, finished } from '../support/services.js';
import { names, UNREAD, useServices } from './bench.js';

const bench = useServices();

describe('what the state does not allow', () => {
  test('is refused with what to do, before a body is read', async () => {
    const [envId, other] = [await bench.environment(), await bench.environment()];
    const appId = await bench.application();
    const key = { appId, versionId: 1, instanceId: 1 };
    const conflict = (text: string) => ({ code: 'Conflict', message: expect.stringContaining(text) });
    const notDeployed = conflict('is not deployed; deploy it on an environment first.');
    await expect(bench.services.instances.act(as(ADA), key, 'start')).rejects.toMatchObject(notDeployed);
    await expect(bench.services.deployments.undeploy(as(ADA), { ...key, envId })).rejects.toMatchObject(notDeployed);
    await expect(bench.services.actions.act(as(ADA), appId, 'stop')).rejects.toMatchObject(conflict('deploy it first'));
    await expect(bench.services.logs(ADA, key, { signal: as(ADA).signal })).rejects.toMatchObject(notDeployed);
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, await bench.first()));
    await expect(bench.services.deployments.deploy(as(ADA), { ...key, envId: other }, UNREAD)).rejects.toMatchObject(
      conflict(`is deployed on environment ${envId}; undeploy it there first`),
    );
    await expect(bench.services.deployments.undeploy(as(ADA), { appId, envId: other })).rejects.toMatchObject(
      conflict(`not deployed on environment ${other}`),
    );
    await expect(bench.services.actions.scale(as(ADA), appId, 0)).rejects.toMatchObject({ code: 'InvalidValue' });
  });

  test('does not include a start of what is started, nor a stop of what is stopped', async () => {
    const envId = await bench.environment();
    const appId = await bench.application();
    const key = { appId, versionId: 1, instanceId: 1 };
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, await bench.first()));
    for (const verb of ['stop', 'start', 'start'] as const)
      finished(await bench.services.instances.act(as(ADA), key, verb));
    expect(await bench.services.instances.describe(ADA, key)).toMatchObject({ state: 'STARTED' });
  });

  test('is judged when the turn comes, for what waits behind something else', async () => {
    const envId = await bench.environment();
    const appId = await bench.application();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, await bench.first()));
    bench.services.platform.trouble.delay = 30;
    const undeploying = bench.services.deployments.undeploy(as(ADA), { appId, envId });
    const starting = bench.services.instances.act(as(ADA), { appId, versionId: 1, instanceId: 1 }, 'start');
    await undeploying;
    await expect(starting).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('not deployed'),
    });
  });
});

describe('an unknown', () => {
  test('version, instance, application, environment is NotFound, and no body is read', async () => {
    const envId = await bench.environment();
    const appId = await bench.application();
    const missing = { code: 'NotFound' };
    const places = [
      { appId: 99, envId },
      { appId, envId: 99 },
      { appId, envId, versionId: 2, instanceId: 1 },
      { appId, envId, versionId: 1, instanceId: 2 },
    ];
    for (const place of places) {
      await expect(bench.services.deployments.deploy(as(ADA), place, UNREAD)).rejects.toMatchObject(missing);
      await expect(bench.services.deployments.undeploy(as(ADA), place)).rejects.toMatchObject(missing);
    }
    await expect(bench.services.versions.create(ADA, 99, UNREAD, as(ADA).signal)).rejects.toMatchObject(missing);
    await expect(bench.services.versions.download(ADA, appId, 1, 'x')).rejects.toMatchObject(missing);
  });

  test('container is refused with the list of what there is, and nothing is made', async () => {
    const nodes = [{ name: 'COBOL_3', contentType: 'container' }];
    await expect(
      bench.services.environments.create(as(ADA), 'MEM', environmentManifest({ nodes })),
    ).rejects.toMatchObject({
      code: 'InvalidValue',
      message: expect.stringMatching(/"COBOL_3" is not known here. There is: tomcat, .*php/),
    });
    expect(await names(bench.services.environments.list(ADA))).toEqual([]);
    expect(await bench.services.platform.spaces(as(ADA).signal)).toEqual([]);
  });
});
