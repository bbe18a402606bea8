import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Instance, Task } from '../../src/domain/model.js';
import { builtProgram } from '../support/built.js';
import {
  ADA,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  openTestServices,
  site,
  type TestServices,
  uploadOf,
} from '../support/services.js';
import { ATTEMPTS, type Attempt } from './attempts.js';

const WORKER = builtProgram('services/crashing-worker');

describe('a gateway that is killed in the middle of', () => {
  test.each(Object.keys(ATTEMPTS))(
    '%s, at whatever moment, ends it after its start and leaves nothing half made',
    async (name) => {
      const moments = await inFolder((folder) => live(name, folder));
      expect(moments.length).toBeGreaterThanOrEqual(4);
      for (const { at, step, moment } of distinct(moments)) {
        await inFolder(async (folder) => {
          await prepared(name, folder);
          expect(await run(folder, name, at)).toMatchObject({ signal: 'SIGKILL' });
          await expectOrder(folder, `killed when ${step} ${moment}`);
        });
      }
    },
    300_000,
  );
});

test('a deploy that was interrupted too often is given up, and what it had made is removed', async () => {
  const moments = await inFolder((folder) => live('deploy', folder));
  const halfway = moments.findLastIndex(([step, moment]) => step === 'deploy' && moment === 'told');
  await inFolder(async (folder) => {
    await prepared('deploy', folder);
    await run(folder, 'deploy', halfway);
    const services = await openTestServices({ folder, work: { attempts: 1 } });
    const { signal } = new AbortController();
    try {
      expect(await services.platform.deployments(signal)).toHaveLength(1);
      const [task] = await tasks(services);
      const ended = await services.operations.ended(task?.taskId ?? 0, 30, signal);
      expect(ended).toMatchObject({
        state: 'FAILED',
        error: { message: expect.stringContaining('interrupted once') },
      });
      expect(await services.platform.deployments(signal)).toEqual([]);
      const { versions } = await services.applications.describe(ADA, 1);
      expect(versions[0]?.instances[0]).toMatchObject({ state: 'FAILED', reason: ended?.error?.message });
      await expectDeployable(services);
      await expectAgreement(services, 'after it was given up');
    } finally {
      await services.close();
    }
  });
}, 120_000);

/** A step begins where the one before was recorded, and all that an adapter tells in between is alike but for the first and the last. */
function distinct(moments: [string, string][]): { at: number; step: string; moment: string }[] {
  return moments
    .map(([step, moment], at) => ({ at, step, moment }))
    .filter(({ at, moment }) => {
      const [before, after] = [moments[at - 1]?.[1], moments[at + 1]?.[1]];
      if (moment === 'begin') return at === 0;
      return moment !== 'told' || before !== 'told' || after !== 'told';
    });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'crash-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function prepared(name: string, folder: string): Promise<void> {
  const services = await openTestServices({ folder });
  await (ATTEMPTS[name] as Attempt).prepare(services);
  await services.close();
}

/** Every moment of the action when nothing goes wrong. */
async function live(name: string, folder: string): Promise<[string, string][]> {
  await prepared(name, folder);
  const { signal, stdout } = await run(folder, name, -1);
  expect(signal).toBeNull();
  return JSON.parse(stdout) as [string, string][];
}

async function run(folder: string, name: string, at: number): Promise<{ signal: string | null; stdout: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [WORKER, folder, name, String(at)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [stdout, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { signal: signal as string | null, stdout };
}

/** After the next start: the task has ended, store and platform say the same, and a deploy works. */
async function expectOrder(folder: string, when: string): Promise<void> {
  const services = await openTestServices({ folder });
  try {
    const [task] = await tasks(services);
    await services.operations.ended(task?.taskId ?? 0, 30, as(ADA).signal);
    const [ended] = await tasks(services);
    expect([when, ended?.state]).toEqual([when, 'SUCCEEDED']);
    await expectAgreement(services, when);
    await expectDeployable(services);
    await expectAgreement(services, `${when}, deployed again`);
  } finally {
    await services.close();
  }
}

async function tasks(services: TestServices): Promise<Task[]> {
  const all: Task[] = [];
  for await (const task of (await services.tasks.list(ADA)).items) all.push(task);
  return all;
}

async function expectAgreement({ store, platform }: TestServices, when: string): Promise<void> {
  const { signal } = new AbortController();
  const rows = (await store.applications.deployed()).map((one: Instance) => [
    one.ref,
    one.versionId,
    one.state,
    one.uri,
  ]);
  const things = (await platform.deployments(signal)).map((one) => [
    ...[one.id, one.release?.versionId, one.started ? 'STARTED' : 'STOPPED', `http://127.0.0.1:${one.port}`],
  ]);
  expect([when, rows]).toEqual([when, things]);
  const environments = [];
  for await (const { ref } of store.environments.list({})) environments.push(ref);
  expect([when, environments]).toEqual([when, (await platform.spaces(signal)).map((one) => one.id)]);
}

async function expectDeployable(services: TestServices): Promise<void> {
  const [environment] = await all(services.store.environments.list({}));
  const envId =
    environment?.envId ?? finished(await services.environments.create(as(ADA), 'MEM', environmentManifest())).envId;
  const [known] = await all(services.store.applications.list({}));
  const appId = known?.appId ?? (await services.applications.create(ADA, applicationManifest())).appId;
  const upload = uploadOf(services, await site('three'));
  const { versions } = finished(await services.deployments.deploy(as(ADA), { appId, envId }, upload));
  expect(versions.at(-1)?.instances[0]).toMatchObject({ envId, state: expect.stringMatching(/^ST/) });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of items) list.push(one);
  return list;
}
