import { ADA, applicationManifest, as, finished, NOTHING } from '../support/services.js';
import { useServices } from './bench.js';

const bench = useServices();

describe('a failing application', () => {
  test("is FAILED with the platform's words; deploy of a good version heals it", async () => {
    const envId = await bench.environment();
    const appId = await bench.application();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, await bench.first()));
    bench.services.platform.trouble.application = 'crash';
    await expect(bench.services.actions.act(as(ADA), appId, 'start')).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('exited with status 1'),
    });
    const key = { appId, versionId: 1, instanceId: 1 };
    const failed = { state: 'FAILED', reason: expect.stringContaining('exited with status 1') };
    expect(await bench.services.instances.describe(ADA, key, true)).toMatchObject(failed);
    expect((await bench.services.environments.describe(ADA, envId)).state).toBe('FAILED');
    delete bench.services.platform.trouble.application;
    finished(await bench.services.instances.act(as(ADA), key, 'restart'));
    const healed = await bench.services.instances.describe(ADA, key);
    expect(healed.state).toBe('STARTED');
    expect(healed).not.toHaveProperty('reason');
  });

  test('whose first deploy failed can be undeployed, which forgets the failure', async () => {
    const envId = await bench.environment(ADA, { variables: { MEMORY_TROUBLE: 'staging' } });
    const appId = await bench.application();
    await expect(
      bench.services.deployments.deploy(as(ADA), { appId, envId }, await bench.first()),
    ).rejects.toMatchObject({
      code: 'Conflict',
    });
    const key = { appId, versionId: 1, instanceId: 1 };
    expect(await bench.services.instances.describe(ADA, key)).toMatchObject({ state: 'FAILED' });
    expect(await bench.services.platform.deployments(as(ADA).signal)).toEqual([]);
    finished(await bench.services.deployments.undeploy(as(ADA), { ...key, envId }));
    expect((await bench.services.instances.describe(ADA, key)).state).toBe('CREATED');
    finished(await bench.services.environments.delete(as(ADA), envId));
  });

  test('among many does not keep the others from starting', async () => {
    const good = await bench.environment();
    const appId = (await bench.services.applications.create(ADA, applicationManifest(['One', 'Two']))).appId;
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId: good }, await bench.first()));
    const [one] = await bench.services.platform.deployments(as(ADA).signal);
    if (!one) throw new Error('There is a deployment');
    await bench.services.platform.delete(one, as(ADA).signal);
    await expect(bench.services.environments.act(as(ADA), good, 'start')).rejects.toMatchObject({
      message: expect.stringMatching(/^1 of 2 failed. start 1.1.1: .*no longer has it/),
    });
    const { versions } = await bench.services.applications.describe(ADA, appId);
    expect(versions[0]?.instances.map((instance) => instance.state)).toEqual(['FAILED', 'STARTED']);
  });
});

describe('passing trouble of the platform', () => {
  test('is waited out', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.tooMany = 2;
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
  });

  test('that does not pass ends as 503 with a time, and leaves nothing half made', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.down = true;
    await expect(bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      retryAfter: 30,
      message: expect.stringContaining('MEM does not answer'),
    });
    bench.services.platform.trouble.down = false;
    finished(await bench.services.deployments.undeploy(as(ADA), { appId, envId }));
    expect((await bench.instance(appId)).state).toBe('CREATED');
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
  });
});
