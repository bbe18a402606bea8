import { AdapterError } from '../../adapters/adapter.js';
import {
  ADA,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  openTestServices,
  site,
  type TestServices,
  until,
  uploadOf,
} from '../support/services.js';

let services: TestServices;
const signal = new AbortController().signal;
const key = { appId: 1, versionId: 1, instanceId: 1 };

async function open(interval?: number): Promise<void> {
  services = await openTestServices(interval === undefined ? {} : { interval });
  const { envId } = finished(await services.environments.create(as(ADA), 'MEM', environmentManifest()));
  const { appId } = await services.applications.create(ADA, applicationManifest());
  const upload = uploadOf(services, await site('one'));
  finished(await services.deployments.deploy(as(ADA), { appId, envId }, upload));
}
afterEach(() => services.close());

const seen = () => services.instances.describe(ADA, key);
const labels = async () => {
  const [one] = await services.platform.deployments(signal);
  if (!one) throw new Error('There is no deployment');
  return one;
};

describe('the watcher', () => {
  test('sees by itself what happens on the platform', async () => {
    await open(0.02);
    await services.platform.start(await labels(), signal);
    await until(async () => (await seen()).state === 'STARTED');
    await services.platform.stop(await labels(), signal);
    await until(async () => (await seen()).state === 'STOPPED');
  });

  test('looks when a client asks for it, and not otherwise', async () => {
    await open();
    await services.platform.start(await labels(), signal);
    expect((await seen()).state).toBe('STOPPED');
    expect((await services.instances.describe(ADA, key, true)).state).toBe('STARTED');
    await services.platform.resize(await labels(), { processes: 4 }, signal);
    const { versions } = await services.applications.describe(ADA, 1, true);
    expect(versions[0]?.instances[0]?.processes).toBe(4);
    await services.platform.stop(await labels(), signal);
    expect((await services.environments.describe(ADA, 1, true)).state).toBe('STOPPED');
  });

  test('tells of a deployment that has vanished, which can be deployed again', async () => {
    await open();
    await services.platform.delete(await labels(), signal);
    expect(await services.instances.describe(ADA, key, true)).toMatchObject({
      state: 'FAILED',
      envId: 1,
      reason: expect.stringContaining('no longer'),
    });
    finished(
      await services.deployments.deploy(as(ADA), { ...key, envId: 1 }, { present: false, read: async () => ({}) }),
    );
    expect((await services.instances.describe(ADA, key, true)).state).toBe('STOPPED');
  });

  test('finds out which version serves, when the platform went away in the middle of an upgrade', async () => {
    await open();
    const honest = services.adapter.deploy.bind(services.adapter);
    services.adapter.deploy = async (...given) => {
      await honest(...given);
      services.platform.trouble.down = true;
      throw new AdapterError('unavailable', 'The connection was cut.');
    };
    const upload = uploadOf(services, await site('two'));
    await expect(services.deployments.deploy(as(ADA), { appId: 1, envId: 1 }, upload)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
    const states = async () => {
      const { versions } = await services.applications.describe(ADA, 1, true);
      return versions.map(({ instances }) => [instances[0]?.state, instances[0]?.envId]);
    };
    expect(await states()).toEqual([
      ['STOPPED', 1],
      ['FAILED', undefined],
    ]);
    services.platform.trouble.down = false;
    expect(await states()).toEqual([
      ['CREATED', undefined],
      ['STOPPED', 1],
    ]);
  });

  test('leaves alone what is being worked on', async () => {
    await open();
    services.platform.trouble.delay = 60_000;
    await services.instances.act(as(ADA, { wait: 0 }), key, 'start');
    await until(async () => (await seen()).state === 'STARTING');
    expect((await services.instances.describe(ADA, key, true)).state).toBe('STARTING');
    services.platform.trouble.delay = 0;
  });

  test('does not believe a look that is older than what was done since', async () => {
    await open();
    const honest = services.adapter.observe.bind(services.adapter);
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    services.adapter.observe = async (call) => {
      const reports = await honest(call);
      await held;
      return reports;
    };
    const looking = services.watcher.look('MEM');
    finished(await services.instances.act(as(ADA), key, 'start'));
    answer();
    expect(await looking).toBe(true);
    expect((await seen()).state).toBe('STARTED');
  });

  test('keeps what it saw last while the platform is down, and complains once', async () => {
    await open(0.01);
    services.platform.trouble.down = true;
    await until(() => services.watcher.troubles.has('MEM'));
    const { observedAt } = await seen();
    for (let look = 0; look < 5; look++) expect(await services.watcher.look('MEM')).toBe(false);
    expect(await services.instances.describe(ADA, key, true)).toMatchObject({ state: 'STOPPED', observedAt });
    expect(services.logged.filter((line) => line.includes('cannot be observed'))).toHaveLength(1);
    services.platform.trouble.down = false;
    await until(() => !services.watcher.troubles.has('MEM'));
  });

  test('writes nothing when nothing has changed', async () => {
    await open();
    const before = await seen();
    for (let look = 0; look < 3; look++) await services.watcher.look('MEM');
    expect(await seen()).toEqual(before);
  });

  test('shares a look among those who ask at once', async () => {
    await open();
    let looks = 0;
    const honest = services.adapter.observe.bind(services.adapter);
    services.adapter.observe = (call) => {
      looks += 1;
      return honest(call);
    };
    await Promise.all(Array.from({ length: 20 }, () => services.watcher.look('MEM')));
    expect(looks).toBe(2);
  });
});
