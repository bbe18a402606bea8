import type { Task } from '../../src/domain/model.js';
import { ADA, accepted, as, environmentManifest, finished, NOTHING, until } from '../support/services.js';
import { SLOW, useServices } from './bench.js';

const bench = useServices();
const later = () => as(ADA, { wait: 0 });

describe('waiting', () => {
  test('without patience gives the task at once, which goes on', async () => {
    const task = accepted(await bench.services.environments.create(later(), 'MEM', environmentManifest()));
    expect((await bench.ended(task)).state).toBe('SUCCEEDED');
  });

  test('ends with the patience; the work does not', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = SLOW;
    const deploying = bench.services.deployments.deploy(as(ADA, { wait: 0.05 }), { appId, envId }, NOTHING);
    const task = accepted(await deploying);
    await bench.reached(task, 'deploy/staging');
    bench.services.platform.trouble.delay = 0;
    await bench.services.tasks.cancel(as(ADA), task);
  });

  test('ends when the client goes; the work does not', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = 50;
    const client = new AbortController();
    const deploying = bench.services.deployments.deploy(as(ADA, { signal: client.signal }), { appId, envId }, NOTHING);
    client.abort(new Error('gone'));
    await expect(deploying).rejects.toThrow('gone');
    await until(async () => (await bench.instance(appId)).state === 'STOPPED');
  });
});

describe('requests on one target', () => {
  test('that are equal join one task', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = 20;
    const requests = [1, 2, 3].map(() => bench.services.deployments.deploy(later(), { appId, envId }, NOTHING));
    const tasks = (await Promise.all(requests)).map(accepted);
    expect(new Set(tasks).size).toBe(1);
    await bench.ended(tasks[0] ?? 0);
    expect(await bench.services.platform.deployments(as(ADA).signal)).toHaveLength(1);
  });

  test('that differ take their turns in order, although the state does not allow them yet', async () => {
    const { envId, appId } = await bench.stored();
    bench.services.platform.trouble.delay = 10;
    const key = { appId, versionId: 1, instanceId: 1 };
    const tasks = [
      accepted(await bench.services.deployments.deploy(later(), { ...key, envId }, NOTHING)),
      accepted(await bench.services.instances.act(later(), key, 'start')),
      accepted(await bench.services.actions.scale(later(), appId, 2)),
      accepted(await bench.services.instances.act(later(), key, 'stop')),
      accepted(await bench.services.environments.act(later(), envId, 'start')),
      accepted(await bench.services.deployments.undeploy(later(), { ...key, envId })),
      accepted(await bench.services.environments.delete(later(), envId)),
    ];
    const done: Task[] = [];
    for (const task of tasks) done.push(await bench.ended(task));
    expect(done.map((task) => task.state)).toEqual(tasks.map(() => 'SUCCEEDED'));
    const ends = done.map((task) => task.endedAt ?? '');
    expect(ends).toEqual([...ends].sort());
    done.slice(1).forEach((task, index) => {
      expect((task.startedAt ?? '') >= (done[index]?.endedAt ?? '')).toBe(true);
    });
  });

  test('of different instances run side by side; an environment action waits for both', async () => {
    const { envId, appId } = await bench.stored(['One', 'Two']);
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    bench.services.platform.trouble.delay = SLOW;
    const starts = await Promise.all(
      [1, 2].map((instanceId) => bench.services.instances.act(later(), { appId, versionId: 1, instanceId }, 'start')),
    );
    const wide = accepted(await bench.services.environments.act(later(), envId, 'stop'));
    for (const start of starts) await bench.reached(accepted(start), 'start/start');
    expect((await bench.services.tasks.describe(ADA, wide)).state).toBe('PENDING');
    bench.services.platform.trouble.delay = 0;
    for (const start of starts) await bench.services.tasks.cancel(as(ADA), accepted(start));
    expect((await bench.ended(wide)).state).toBe('SUCCEEDED');
  });
});

describe('the happy path', () => {
  test('waits for no poll', async () => {
    await bench.reopen({ work: { pollInterval: 60_000 } });
    const { envId, appId } = await bench.stored();
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    for (let round = 0; round < 10; round++) {
      finished(await bench.services.actions.act(as(ADA, { wait: 20 }), appId, 'start'));
      finished(await bench.services.actions.act(as(ADA, { wait: 20 }), appId, 'stop'));
    }
    const queued = [];
    for (const verb of ['start', 'stop', 'start'] as const)
      queued.push(accepted(await bench.services.actions.act(later(), appId, verb)));
    for (const task of queued) expect((await bench.ended(task)).state).toBe('SUCCEEDED');
    expect((await bench.instance(appId)).state).toBe('STARTED');
  });
});
