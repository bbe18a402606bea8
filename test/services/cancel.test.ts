import { ADA, accepted, as, environmentManifest, finished, NOTHING, site, uploadOf } from '../support/services.js';
import { SLOW, useServices } from './bench.js';

const bench = useServices();
const later = () => as(ADA, { wait: 0 });

describe('a cancel', () => {
  test('of a first deploy undoes what it made', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = SLOW;
    const task = accepted(await bench.services.deployments.deploy(later(), { appId, envId }, NOTHING));
    await bench.reached(task, 'deploy/staging');
    expect(await bench.instance(appId)).toMatchObject({ state: 'DEPLOYING', envId });
    bench.services.platform.trouble.delay = 0;
    const cancelled = await bench.services.tasks.cancel(as(ADA), task);
    expect(cancelled).toMatchObject({ state: 'CANCELLED', error: { message: 'The task was cancelled.' } });
    expect(cancelled.steps.find((step) => step.name === 'deploy')?.state).toBe('FAILED');
    expect(await bench.services.platform.deployments(as(ADA).signal)).toEqual([]);
    const after = await bench.instance(appId);
    expect(after.state).toBe('CREATED');
    expect(after).not.toHaveProperty('envId');
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
  });

  test('that cannot undo says what remained, and an undeploy removes it', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = SLOW;
    const task = accepted(await bench.services.deployments.deploy(later(), { appId, envId }, NOTHING));
    await bench.reached(task, 'deploy/staging');
    Object.assign(bench.services.platform.trouble, { down: true, delay: 0 });
    const { state, error } = await bench.services.tasks.cancel(as(ADA), task);
    expect([state, error?.message]).toEqual(['CANCELLED', expect.stringContaining('may remain on the platform')]);
    expect(await bench.instance(appId)).toMatchObject({ state: 'FAILED', envId });
    bench.services.platform.trouble.down = false;
    // It is there, and not what was to be deployed: nobody may take it for that, or start it.
    const key = { appId, versionId: 1, instanceId: 1 };
    const halfMade = { state: 'FAILED', reason: expect.stringContaining('may remain on the platform') };
    expect(await bench.services.instances.describe(ADA, key, true)).toMatchObject(halfMade);
    const conflict = { code: 'Conflict', message: expect.stringContaining('was not deployed to its end') };
    await expect(bench.services.instances.act(as(ADA), key, 'restart')).rejects.toMatchObject(conflict);
    await expect(bench.services.environments.act(as(ADA), envId, 'start')).rejects.toMatchObject(conflict);
    expect(await bench.services.instances.describe(ADA, key, true)).toMatchObject(halfMade);
    finished(await bench.services.deployments.undeploy(as(ADA), { appId, envId }));
    expect(await bench.services.platform.deployments(as(ADA).signal)).toEqual([]);
    expect((await bench.instance(appId)).state).toBe('CREATED');
  });

  test('of an upgrade leaves the old version serving', async () => {
    const { envId, appId } = await bench.stored();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    finished(await bench.services.actions.act(as(ADA), appId, 'start'));
    bench.services.platform.trouble.delay = SLOW;
    const upload = uploadOf(bench.services, await site('two'));
    const task = accepted(await bench.services.deployments.deploy(later(), { appId, envId }, upload));
    await bench.reached(task, 'deploy/staging');
    bench.services.platform.trouble.delay = 0;
    expect((await bench.services.tasks.cancel(as(ADA), task)).state).toBe('CANCELLED');
    const { versions } = await bench.services.applications.describe(ADA, appId);
    expect(versions.map((one) => one.instances[0]?.state)).toEqual(['STARTED', 'CREATED']);
  });

  test('of what waits ends it at once; what it would have made is gone', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = SLOW;
    const running = accepted(await bench.services.deployments.deploy(later(), { appId, envId }, NOTHING));
    await bench.reached(running, 'deploy/staging');
    const waiting = accepted(await bench.services.actions.act(later(), appId, 'start'));
    expect((await bench.services.tasks.cancel(as(ADA), waiting)).state).toBe('CANCELLED');
    bench.services.platform.trouble.delay = 0;
    await bench.services.tasks.cancel(as(ADA), running);
    expect((await bench.services.tasks.cancel(as(ADA), running)).state).toBe('CANCELLED');
  });

  test('of a creation that runs removes the environment', async () => {
    bench.services.platform.trouble.delay = SLOW;
    const manifest = environmentManifest({ nodes: [{ name: 'MYSQL_51', contentType: 'database' }] });
    const answer = await bench.services.environments.create(later(), 'MEM', manifest);
    const { envId } = await bench.services.tasks.describe(ADA, accepted(answer));
    await bench.reached(accepted(answer), 'create/mysql');
    bench.services.platform.trouble.delay = 0;
    await bench.services.tasks.cancel(as(ADA), accepted(answer));
    await expect(bench.services.environments.describe(ADA, envId ?? 0)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await bench.services.platform.spaces(as(ADA).signal)).toEqual([]);
  });
});
