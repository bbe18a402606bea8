import type { Task } from '../../src/domain/model.js';
import {
  ADA,
  accepted,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  isAccepted,
  NOTHING,
  openTestServices,
  site,
  type TestServices,
  until,
  uploadOf,
} from '../support/services.js';

let services: TestServices;
beforeEach(async () => {
  services = await openTestServices();
});
afterEach(() => services.close());

const later = () => as(ADA, { wait: 0 });
const SLOW = 60_000;

describe('waiting', () => {
  test('without patience gives the task at once, which goes on', async () => {
    const task = accepted(await services.environments.create(later(), 'MEM', environmentManifest()));
    expect((await ended(task)).state).toBe('SUCCEEDED');
  });

  test('ends with the patience; the work does not', async () => {
    services.platform.trouble.delay = SLOW;
    const { envId, appId } = await stored();
    const deploying = services.deployments.deploy(as(ADA, { wait: 0.05 }), { appId, envId }, NOTHING);
    const task = accepted(await deploying);
    await reached(task, 'deploy');
    services.platform.trouble.delay = 0;
    await services.tasks.cancel(as(ADA), task);
  });

  test('ends when the client goes; the work does not', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.delay = 50;
    const client = new AbortController();
    const deploying = services.deployments.deploy(as(ADA, { signal: client.signal }), { appId, envId }, NOTHING);
    client.abort(new Error('gone'));
    await expect(deploying).rejects.toThrow('gone');
    await until(async () => (await instance(appId)).state === 'STOPPED');
  });
});

describe('requests on one target', () => {
  test('that are equal join one task', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.delay = 20;
    const requests = [1, 2, 3].map(() => services.deployments.deploy(later(), { appId, envId }, NOTHING));
    const tasks = (await Promise.all(requests)).map(accepted);
    expect(new Set(tasks).size).toBe(1);
    await ended(tasks[0] ?? 0);
    expect(await services.platform.deployments(as(ADA).signal)).toHaveLength(1);
  });

  test('that differ take their turns in order, although the state does not allow them yet', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.delay = 10;
    const key = { appId, versionId: 1, instanceId: 1 };
    const tasks = [
      accepted(await services.deployments.deploy(later(), { ...key, envId }, NOTHING)),
      accepted(await services.instances.act(later(), key, 'start')),
      accepted(await services.actions.scale(later(), appId, 2)),
      accepted(await services.instances.act(later(), key, 'stop')),
      accepted(await services.environments.act(later(), envId, 'start')),
      accepted(await services.deployments.undeploy(later(), { ...key, envId })),
      accepted(await services.environments.delete(later(), envId)),
    ];
    const done: Task[] = [];
    for (const task of tasks) done.push(await ended(task));
    expect(done.map((task) => task.state)).toEqual(tasks.map(() => 'SUCCEEDED'));
    const ends = done.map((task) => task.endedAt ?? '');
    expect(ends).toEqual([...ends].sort());
    done.slice(1).forEach((task, index) => {
      expect((task.startedAt ?? '') >= (done[index]?.endedAt ?? '')).toBe(true);
    });
  });

  test('of different instances run side by side; an environment action waits for both', async () => {
    const { envId, appId } = await stored(['One', 'Two']);
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    services.platform.trouble.delay = SLOW;
    const starts = await Promise.all(
      [1, 2].map((instanceId) => services.instances.act(later(), { appId, versionId: 1, instanceId }, 'start')),
    );
    const wide = accepted(await services.environments.act(later(), envId, 'stop'));
    for (const start of starts) await reached(accepted(start), 'start');
    expect((await services.tasks.describe(ADA, wide)).state).toBe('PENDING');
    services.platform.trouble.delay = 0;
    for (const start of starts) await services.tasks.cancel(as(ADA), accepted(start));
    expect((await ended(wide)).state).toBe('SUCCEEDED');
  });
});

describe('a cancel', () => {
  test('of a first deploy undoes what it made', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.delay = SLOW;
    const task = accepted(await services.deployments.deploy(later(), { appId, envId }, NOTHING));
    await reached(task, 'deploy');
    await until(async () => (await services.platform.deployments(as(ADA).signal)).length === 1);
    expect(await instance(appId)).toMatchObject({ state: 'DEPLOYING', envId });
    services.platform.trouble.delay = 0;
    const cancelled = await services.tasks.cancel(as(ADA), task);
    expect(cancelled).toMatchObject({ state: 'CANCELLED', error: { message: 'The task was cancelled.' } });
    expect(cancelled.steps.find((step) => step.name === 'deploy')?.state).toBe('FAILED');
    expect(await services.platform.deployments(as(ADA).signal)).toEqual([]);
    const after = await instance(appId);
    expect(after.state).toBe('CREATED');
    expect(after).not.toHaveProperty('envId');
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
  });

  test('that cannot undo says what remained, and an undeploy removes it', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.delay = SLOW;
    const task = accepted(await services.deployments.deploy(later(), { appId, envId }, NOTHING));
    await until(async () => (await services.platform.deployments(as(ADA).signal)).length === 1);
    Object.assign(services.platform.trouble, { down: true, delay: 0 });
    const { state, error } = await services.tasks.cancel(as(ADA), task);
    expect([state, error?.message]).toEqual(['CANCELLED', expect.stringContaining('may remain on the platform')]);
    expect(await instance(appId)).toMatchObject({ state: 'FAILED', envId });
    services.platform.trouble.down = false;
    finished(await services.deployments.undeploy(as(ADA), { appId, envId }));
    expect(await services.platform.deployments(as(ADA).signal)).toEqual([]);
    expect((await instance(appId)).state).toBe('CREATED');
  });

  test('of an upgrade leaves the old version serving', async () => {
    const { envId, appId } = await stored();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    finished(await services.actions.act(as(ADA), appId, 'start'));
    services.platform.trouble.delay = SLOW;
    const upload = uploadOf(services, await site('two'));
    const task = accepted(await services.deployments.deploy(later(), { appId, envId }, upload));
    await reached(task, 'deploy');
    services.platform.trouble.delay = 0;
    expect((await services.tasks.cancel(as(ADA), task)).state).toBe('CANCELLED');
    const { versions } = await services.applications.describe(ADA, appId);
    expect(versions.map((one) => one.instances[0]?.state)).toEqual(['STARTED', 'CREATED']);
  });

  test('of what waits ends it at once; what it would have made is gone', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.delay = SLOW;
    const running = accepted(await services.deployments.deploy(later(), { appId, envId }, NOTHING));
    await reached(running, 'deploy');
    const waiting = accepted(await services.actions.act(later(), appId, 'start'));
    expect((await services.tasks.cancel(as(ADA), waiting)).state).toBe('CANCELLED');
    services.platform.trouble.delay = 0;
    await services.tasks.cancel(as(ADA), running);
    expect((await services.tasks.cancel(as(ADA), running)).state).toBe('CANCELLED');
  });

  test('of a creation that runs removes the environment', async () => {
    services.platform.trouble.delay = SLOW;
    const manifest = environmentManifest({ nodes: [{ name: 'MYSQL_51', contentType: 'database' }] });
    const answer = await services.environments.create(later(), 'MEM', manifest);
    const { envId } = await services.tasks.describe(ADA, accepted(answer));
    await until(async () => (await services.platform.spaces(as(ADA).signal)).length === 1);
    services.platform.trouble.delay = 0;
    await services.tasks.cancel(as(ADA), accepted(answer));
    await expect(services.environments.describe(ADA, envId ?? 0)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await services.platform.spaces(as(ADA).signal)).toEqual([]);
  });
});

describe('a deletion', () => {
  test('cancels what runs on the application, waits for it, and removes everything', async () => {
    const { envId, appId } = await stored(['One', 'Two']);
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    services.platform.trouble.delay = SLOW;
    const running = accepted(await services.actions.act(later(), appId, 'start'));
    await reached(running, 'start 1.1.1');
    const waiting = accepted(await services.actions.act(later(), appId, 'restart'));
    services.platform.trouble.delay = 0;
    expect(finished(await services.applications.delete(as(ADA), appId)).value).toContain('was deleted');
    expect((await services.tasks.describe(ADA, running)).state).toBe('CANCELLED');
    expect((await services.tasks.describe(ADA, waiting)).state).toBe('CANCELLED');
    expect(await services.platform.deployments(as(ADA).signal)).toEqual([]);
    expect(await services.store.applications.get(appId)).toBeUndefined();
  });

  test('of all takes the own tenant only, and goes on past one that fails', async () => {
    const { envId, appId } = await stored();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    const free = await services.applications.create(ADA, applicationManifest());
    const bob = { ...ADA, name: 'bob', tenant: 'bolt' };
    const others = await services.applications.create(bob, applicationManifest());
    services.platform.trouble.down = true;
    await expect(services.applications.deleteAll(as(ADA))).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(await services.store.applications.get(free.appId)).toBeUndefined();
    services.platform.trouble.down = false;
    expect((await instance(appId)).state).toBe('STOPPED');
    finished(await services.applications.deleteAll(as(ADA)));
    expect(await services.store.applications.get(appId)).toBeUndefined();
    expect(await services.store.applications.get(others.appId)).toBeDefined();
  });

  test('of an environment is refused while something is deployed there', async () => {
    const { envId, appId } = await stored();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    await expect(services.environments.delete(as(ADA), envId)).rejects.toMatchObject({
      code: 'Conflict',
      message: `Application ${appId} is deployed on environment ${envId}; undeploy it first.`,
    });
  });

  test('of one version leaves the others', async () => {
    const { envId, appId } = await stored();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, uploadOf(services, await site('two'))));
    finished(await services.versions.delete(as(ADA), appId, 1));
    const { versions } = await services.applications.describe(ADA, appId);
    expect(versions.map((one) => [one.versionId, one.instances[0]?.state])).toEqual([[2, 'STOPPED']]);
    expect(await services.platform.deployments(as(ADA).signal)).toHaveLength(1);
  });
});

describe('passing trouble of the platform', () => {
  test('is waited out', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.tooMany = 2;
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
  });

  test('that does not pass ends as 503 with a time, and leaves nothing half made', async () => {
    const { envId, appId } = await stored();
    services.platform.trouble.down = true;
    await expect(services.deployments.deploy(as(ADA), { appId, envId }, NOTHING)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      retryAfter: 30,
      message: expect.stringContaining('MEM does not answer'),
    });
    services.platform.trouble.down = false;
    finished(await services.deployments.undeploy(as(ADA), { appId, envId }));
    expect((await instance(appId)).state).toBe('CREATED');
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
  });
});

describe('the happy path', () => {
  test('waits for no poll', async () => {
    await services.close();
    services = await openTestServices({ work: { pollInterval: 60_000 } });
    const { envId, appId } = await stored();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, NOTHING));
    for (let round = 0; round < 10; round++) {
      finished(await services.actions.act(as(ADA, { wait: 20 }), appId, 'start'));
      finished(await services.actions.act(as(ADA, { wait: 20 }), appId, 'stop'));
    }
    const queued = [];
    for (const verb of ['start', 'stop', 'start'] as const)
      queued.push(accepted(await services.actions.act(later(), appId, verb)));
    for (const task of queued) expect((await ended(task)).state).toBe('SUCCEEDED');
    expect((await instance(appId)).state).toBe('STARTED');
  });
});

async function instance(appId: number) {
  return services.instances.describe(ADA, { appId, versionId: 1, instanceId: 1 });
}

async function ended(taskId: number): Promise<Task> {
  await services.operations.ended(taskId, 20, as(ADA).signal);
  return services.tasks.describe(ADA, taskId);
}

/** Until the task has the step, as everybody sees it. */
async function reached(taskId: number, step: string): Promise<void> {
  await until(async () => (await services.tasks.describe(ADA, taskId)).steps.some((one) => one.name === step));
}

/** An environment, and an application whose version has its artefact. */
async function stored(names = ['Instance1']) {
  const slow = services.platform.trouble.delay;
  services.platform.trouble.delay = 0;
  const environment = await services.environments.create(as(ADA), 'MEM', environmentManifest());
  if (isAccepted(environment)) throw new Error('An environment is made at once');
  const { appId } = await services.applications.create(ADA, { application: { name: 'PetClinic', versions: [] } });
  const upload = uploadOf(services, await site('one'), 'site.zip', applicationManifest(names));
  await services.versions.create(ADA, appId, upload, as(ADA).signal);
  services.platform.trouble.delay = slow ?? 0;
  return { envId: environment.envId, appId };
}
