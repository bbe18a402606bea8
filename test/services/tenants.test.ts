import { ADA, as, BOB, finished, NOTHING, ROOT } from '../support/services.js';
import { names, UNREAD, useServices } from './bench.js';

const bench = useServices();

describe("another tenant's", () => {
  test('application, environment and task do not exist', async () => {
    const envId = await bench.environment();
    const appId = await bench.application();
    const missing = { code: 'NotFound' };
    await expect(bench.services.applications.describe(BOB, appId)).rejects.toMatchObject(missing);
    await expect(bench.services.applications.delete(as(BOB), appId)).rejects.toMatchObject(missing);
    await expect(bench.services.environments.describe(BOB, envId)).rejects.toMatchObject(missing);
    await expect(bench.services.environments.delete(as(BOB), envId)).rejects.toMatchObject(missing);
    await expect(bench.services.deployments.deploy(as(BOB), { appId, envId }, UNREAD)).rejects.toMatchObject(missing);
    await expect(bench.services.tasks.describe(BOB, 1)).rejects.toMatchObject(missing);
    await expect(bench.services.tasks.cancel(as(BOB), 1)).rejects.toMatchObject(missing);
    expect(await names(bench.services.applications.list(BOB))).toEqual([]);
    expect(await names(bench.services.applications.list(ROOT))).toEqual(['PetClinic']);
    expect((await bench.services.environments.describe(ROOT, envId)).tenant).toBe('acme');
  });

  test('multitenant application can be read, deployed and run on an own environment, and not changed', async () => {
    const appId = await bench.application(ADA, 'yes');
    finished(
      await bench.services.deployments.deploy(
        as(ADA),
        { appId, envId: await bench.environment() },
        await bench.first(),
      ),
    );
    const envId = await bench.environment(BOB);
    expect(await names(bench.services.applications.list(BOB))).toEqual(['PetClinic']);
    const deployed = finished(await bench.services.deployments.deploy(as(BOB), { appId, envId }, NOTHING));
    expect(deployed.versions[0]?.instances).toMatchObject([
      { instanceId: 1, envId: 1 },
      { instanceId: 2, envId },
    ]);
    const started = finished(await bench.services.actions.act(as(BOB), appId, 'start'));
    expect(started.versions[0]?.instances.map((one) => one.state)).toEqual(['STOPPED', 'STARTED']);
    finished(await bench.services.instances.act(as(BOB), { appId, versionId: 1, instanceId: 2 }, 'stop'));
    const denied = { code: 'AccessDenied' };
    await expect(
      bench.services.instances.act(as(BOB), { appId, versionId: 1, instanceId: 1 }, 'start'),
    ).rejects.toMatchObject(denied);
    await expect(
      bench.services.logs(BOB, { appId, versionId: 1, instanceId: 1 }, { signal: as(BOB).signal }),
    ).rejects.toMatchObject(denied);
    await expect(bench.services.applications.update(BOB, appId, {})).rejects.toMatchObject(denied);
    await expect(bench.services.deployments.deploy(as(BOB), { appId, envId }, UNREAD)).rejects.toMatchObject(denied);
    await expect(bench.services.versions.create(BOB, appId, UNREAD, as(BOB).signal)).rejects.toMatchObject(denied);
    await expect(bench.services.applications.delete(as(BOB), appId)).rejects.toMatchObject(denied);
    finished(await bench.services.deployments.undeploy(as(BOB), { appId, envId }));
  });
});
