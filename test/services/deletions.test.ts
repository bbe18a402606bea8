import { ADA, accepted, applicationManifest, as, finished, NOTHING, site, uploadOf } from '../support/services.js';
import { SLOW, useServices } from './bench.js';

const bench = useServices();
const later = () => as(ADA, { wait: 0 });

describe('a deletion', () => {
  test('cancels what runs on the application, waits for it, and removes everything', async () => {
    const { envId, appId } = await bench.stored(['One', 'Two']);
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    bench.services.platform.trouble.delay = SLOW;
    const running = accepted(await bench.services.actions.act(later(), appId, 'start'));
    await bench.reached(running, 'start 1.1.1/start');
    const waiting = accepted(await bench.services.actions.act(later(), appId, 'restart'));
    bench.services.platform.trouble.delay = 0;
    expect(finished(await bench.services.applications.delete(as(ADA), appId)).value).toContain('was deleted');
    expect((await bench.services.tasks.describe(ADA, running)).state).toBe('CANCELLED');
    expect((await bench.services.tasks.describe(ADA, waiting)).state).toBe('CANCELLED');
    expect(await bench.services.platform.deployments(as(ADA).signal)).toEqual([]);
    expect(await bench.services.store.applications.get(appId)).toBeUndefined();
  });

  test('of all takes the own tenant only, and goes on past one that fails', async () => {
    const { envId, appId } = await bench.stored();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    const free = await bench.services.applications.create(ADA, applicationManifest());
    const bob = { ...ADA, name: 'bob', tenant: 'bolt' };
    const others = await bench.services.applications.create(bob, applicationManifest());
    bench.services.platform.trouble.down = true;
    await expect(bench.services.applications.deleteAll(as(ADA))).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(await bench.services.store.applications.get(free.appId)).toBeUndefined();
    bench.services.platform.trouble.down = false;
    expect((await bench.instance(appId)).state).toBe('STOPPED');
    finished(await bench.services.applications.deleteAll(as(ADA)));
    expect(await bench.services.store.applications.get(appId)).toBeUndefined();
    expect(await bench.services.store.applications.get(others.appId)).toBeDefined();
  });

  test('of an environment is refused while something is deployed there', async () => {
    const { envId, appId } = await bench.stored();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    await expect(bench.services.environments.delete(as(ADA), envId)).rejects.toMatchObject({
      code: 'Conflict',
      message: `Application ${appId} is deployed on environment ${envId}; undeploy it first.`,
    });
  });

  test('of one version leaves the others', async () => {
    const { envId, appId } = await bench.stored();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    finished(
      await bench.services.deployments.deploy(as(ADA), { appId, envId }, uploadOf(bench.services, await site('two'))),
    );
    finished(await bench.services.versions.delete(as(ADA), appId, 1));
    const { versions } = await bench.services.applications.describe(ADA, appId);
    expect(versions.map((one) => [one.versionId, one.instances[0]?.state])).toEqual([[2, 'STOPPED']]);
    expect(await bench.services.platform.deployments(as(ADA).signal)).toHaveLength(1);
  });
});
