import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdapterCall } from '../../adapters/adapter.js';
import { createOperations, type OperationsOptions } from '../../src/services/operations/operations.js';
import type { Run, Runner } from '../../src/services/operations/runner.js';
import { openStore } from '../../src/store/open.js';
import type { NewOperation, Store } from '../../src/store/store.js';
import { until } from '../support/services.js';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operations-'));
  store = await openStore({ url: `sqlite:${join(folder, 'coaps.db')}` });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

const log = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

function work(runner: Runner, more: Partial<OperationsOptions> = {}) {
  return createOperations({ store, runners: new Map([['act', runner]]), log, pollInterval: 10, ...more });
}

function operation(more: Partial<NewOperation> = {}): NewOperation {
  return { action: 'act', input: {}, locks: [], tenant: 'acme', createdBy: 'ada', ...more };
}

/** Waits for the abort, as an adapter does. */
function forever({ signal }: AdapterCall): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

describe('an operation', () => {
  test('is given up after so many interruptions, and says so', async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (attempt === 0) await store.operations.enqueue(operation());
      await store.operations.claim(`dead-${attempt}`, 0);
    }
    let settled = 0;
    const operations = work(
      {
        run: async () => {
          throw new Error('It must not run');
        },
        settle: async () => {
          settled += 1;
          return { remains: 'Something remains.' };
        },
      },
      { attempts: 3 },
    );
    operations.start();
    await expect(operations.outcome(1, 20, never)).rejects.toMatchObject({
      message: 'The task was interrupted 3 times by an end of the gateway and is given up. Something remains.',
    });
    expect(settled).toBe(1);
    await operations.stop();
  });

  test('goes on at the first step that is not recorded', async () => {
    const done: string[] = [];
    const runner: Runner = {
      async run(run) {
        const one = await run.step('one', async () => {
          done.push('one');
          return { number: 1 };
        });
        expect(one).toEqual({ number: 1 });
        await run.commit('two', async () => {
          done.push('two');
        });
        await run.step('three', async (call) => {
          done.push('three');
          if (done.length === 3) await forever(call);
        });
      },
    };
    const first = work(runner);
    first.start();
    await first.enqueue((session) => session.operations.enqueue(operation()));
    await until(() => done.length === 3);
    await first.stop(0);
    expect(await store.operations.get(1)).toMatchObject({ state: 'PENDING', attempts: 1 });
    const second = work(runner);
    second.start();
    expect(await second.outcome(1, 20, never)).toMatchObject({ state: 'SUCCEEDED' });
    expect(done).toEqual(['one', 'two', 'three', 'three']);
    await second.stop();
  });

  test('whose lease is lost writes nothing more', async () => {
    const told: string[] = [];
    const runner: Runner = {
      async run(run) {
        await run.step('long', (call) =>
          forever(call).catch((error: Error) => {
            told.push(error.name);
            throw error;
          }),
        );
      },
      settle: async () => {
        told.push('settled');
        return {};
      },
    };
    const operations = work(runner, { leaseSeconds: 0.3, pollInterval: 60_000 });
    operations.start();
    await operations.enqueue((session) => session.operations.enqueue(operation()));
    await until(async () => (await store.operations.get(1))?.state === 'RUNNING');
    await store.operations.release({ taskId: 1, owner: await ownerOf(), attempt: 1 });
    await store.operations.claim('thief', 60);
    await until(() => told.length > 0);
    expect(told).toEqual(['LeaseLost']);
    expect(await store.operations.get(1)).toMatchObject({ state: 'RUNNING', attempts: 2 });
    await operations.stop();
  });

  test('fails with what the log alone may know when it has a bug', async () => {
    const operations = work({
      run: async () => {
        throw new TypeError('secret of the implementation');
      },
    });
    operations.start();
    await operations.enqueue((session) => session.operations.enqueue(operation()));
    const failed = await operations.outcome(1, 20, never).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'Internal Failure' });
    expect(String(failed)).not.toContain('secret');
    await operations.stop();
  });

  test('of an action that this gateway does not know fails', async () => {
    const operations = work({ run: async () => {} });
    operations.start();
    await operations.enqueue((session) => session.operations.enqueue(operation({ action: 'dance' })));
    await expect(operations.outcome(1, 20, never)).rejects.toMatchObject({ message: expect.stringContaining('dance') });
    await operations.stop();
  });

  test('shows the progress that its adapter tells', async () => {
    let call: AdapterCall | undefined;
    let end: () => void = () => {};
    const operations = work({
      async run(run: Run) {
        await run.step('deploy', async (given) => {
          call = given;
          given.step('upload', { progress: 40, text: 'uploading 4 of 10 MiB' });
          await new Promise<void>((resolve) => {
            end = resolve;
          });
        });
      },
    });
    operations.start();
    await operations.enqueue((session) => session.operations.enqueue(operation()));
    const upload = async () => (await store.operations.get(1))?.steps.find((step) => step.name === 'deploy/upload');
    await until(async () => (await upload())?.progress === 40);
    expect(await upload()).toMatchObject({ state: 'RUNNING', text: 'uploading 4 of 10 MiB' });
    call?.step('staging');
    await until(async () => (await upload())?.state === 'DONE');
    const { progress } = (await store.operations.get(1)) ?? { progress: 0 };
    expect(progress).toBeGreaterThan(0);
    expect(progress).toBeLessThan(100);
    end();
    expect(await operations.outcome(1, 20, never)).toMatchObject({ progress: 100 });
    await operations.stop();
  });

  test('of which many run at once never runs twice', async () => {
    const runs = new Map<number, number>();
    const runner: Runner = {
      async run({ operation: { taskId } }) {
        runs.set(taskId, (runs.get(taskId) ?? 0) + 1);
      },
    };
    const gateways = [work(runner), work(runner), work(runner)];
    for (const one of gateways) one.start();
    const [first] = gateways;
    await first?.enqueue(async (session) => {
      for (let count = 0; count < 60; count++) await session.operations.enqueue(operation());
    });
    for (let taskId = 1; taskId <= 60; taskId++) await first?.outcome(taskId, 20, never);
    expect([...runs.values()]).toEqual(Array.from({ length: 60 }, () => 1));
    for (const one of gateways) await one.stop();
  });
});

/** The worker's name is its own secret; the database knows it. */
async function ownerOf(): Promise<string> {
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(join(folder, 'coaps.db'), { readonly: true });
  try {
    return (db.prepare('select lease_owner as owner from operations').get() as { owner: string }).owner;
  } finally {
    db.close();
  }
}
