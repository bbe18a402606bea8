import type { Bench } from '../store.js';
import { claimOf, exclusive, operation, shared } from './rows.js';

const INSTANCE = exclusive('instance:1:1');
const ENVIRONMENT = 'environment:1';

export function claimCases(bench: Bench): void {
  describe('a claim', () => {
    test('takes the oldest, counts the attempt and says since when it runs', async () => {
      const { operations } = bench.store;
      expect(await operations.claim('w', 60)).toBeUndefined();
      await operations.enqueue(operation());
      await operations.enqueue(operation());
      const first = await operations.claim('w', 60);
      expect(first).toMatchObject({ taskId: 1, state: 'RUNNING', attempts: 1 });
      expect(first?.startedAt).toBeDefined();
      expect(await operations.claim('v', 60)).toMatchObject({ taskId: 2 });
      expect(await operations.claim('v', 60)).toBeUndefined();
    });

    test.each([
      ['exclusive waits for exclusive', exclusive(ENVIRONMENT), exclusive(ENVIRONMENT), false],
      ['exclusive waits for shared', shared(ENVIRONMENT), exclusive(ENVIRONMENT), false],
      ['shared waits for exclusive', exclusive(ENVIRONMENT), shared(ENVIRONMENT), false],
      ['shared runs beside shared', shared(ENVIRONMENT), shared(ENVIRONMENT), true],
      ['exclusive runs beside another resource', exclusive('environment:2'), exclusive(ENVIRONMENT), true],
    ])('%s', async (_, older, younger, beside) => {
      const { operations } = bench.store;
      await operations.enqueue(operation([older]));
      await operations.enqueue(operation([younger]));
      const first = claimOf(await operations.claim('w', 60), 'w');
      expect((await operations.claim('v', 60)) !== undefined).toBe(beside);
      await operations.finish(first, 'SUCCEEDED');
      expect((await operations.claim('v', 60)) !== undefined).toBe(!beside);
    });

    test('passes over one that waits, but nobody overtakes the one that waits', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([shared(ENVIRONMENT)]));
      await operations.enqueue(operation([exclusive(ENVIRONMENT)]));
      await operations.enqueue(operation([shared(ENVIRONMENT)]));
      await operations.enqueue(operation([exclusive('environment:2')]));
      const order = [await operations.claim('w', 60), await operations.claim('w', 60), await operations.claim('w', 60)];
      expect(order.map((one) => one?.taskId)).toEqual([1, 4, undefined]);
    });

    test('takes the strongest of several locks on one resource', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([shared(ENVIRONMENT), exclusive(ENVIRONMENT), shared(ENVIRONMENT)]));
      await operations.enqueue(operation([shared(ENVIRONMENT)]));
      await operations.claim('w', 60);
      expect(await operations.claim('w', 60)).toBeUndefined();
    });

    test('goes on elsewhere when its lease has ended, with what was journalled', async () => {
      const { operations } = bench.store;
      const other = (await bench.open()).operations;
      await operations.enqueue(operation([INSTANCE]));
      await operations.enqueue(operation([INSTANCE]));
      const lost = claimOf(await operations.claim('w', 0), 'w');
      const step = { name: 'upload', state: 'DONE' as const, startedAt: '2026-11-21T20:15:00.000Z' };
      expect(await operations.record(lost, { steps: [{ ...step, result: 'the package' }] })).toBe(true);
      const taken = await other.claim('v', 60);
      expect(taken).toMatchObject({ taskId: 1, attempts: 2, results: { upload: 'the package' } });
      expect(await operations.claim('w', 60)).toBeUndefined();
    });

    test('that is lost writes nothing any more, under the same name neither', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE]));
      const lost = claimOf(await operations.claim('w', 0), 'w');
      const held = claimOf(await operations.claim('w', 60), 'w');
      const before = await operations.get(1);
      const step = { name: 'late', state: 'DONE' as const, startedAt: '2026-11-21T20:15:00.000Z' };
      expect(await operations.renew(lost, 60)).toEqual({ held: false, cancelRequested: false });
      expect(await operations.record(lost, { steps: [{ ...step, result: 1 }] })).toBe(false);
      expect(await operations.record(lost, { progress: 99 })).toBe(false);
      expect(await operations.finish(lost, 'FAILED', { code: 'Conflict', message: 'no' })).toBe(false);
      await operations.release(lost);
      expect(await operations.get(1)).toEqual(before);
      expect(await operations.finish({ ...held, owner: 'stranger' }, 'FAILED')).toBe(false);
      expect(await operations.finish(held, 'SUCCEEDED')).toBe(true);
    });

    test('renewed keeps others away; given back is free at once', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE]));
      const claim = claimOf(await operations.claim('w', 0), 'w');
      expect((await operations.renew(claim, 60)).held).toBe(true);
      expect(await operations.claim('v', 60)).toBeUndefined();
      await operations.release(claim);
      expect((await operations.get(1))?.state).toBe('PENDING');
      expect(await operations.claim('v', 60)).toMatchObject({ taskId: 1, attempts: 2 });
      expect(await operations.record(claim, { progress: 5 })).toBe(false);
    });

    test('passes over a platform on which enough runs, whoever runs it, and takes over what a dead worker held there', async () => {
      const { operations } = bench.store;
      for (const platform of ['CP', 'CP', 'CP', 'CF']) await operations.enqueue(operation([], { platform }));
      await operations.enqueue(operation());
      const claimed = async (owner: string, lease = 60) => (await operations.claim(owner, lease, 2))?.taskId;
      expect([await claimed('w'), await claimed('v', 0), await claimed('v')]).toEqual([1, 2, 2]);
      expect([await claimed('w'), await claimed('w'), await claimed('w')]).toEqual([4, 5, undefined]);
      expect(await operations.active()).toBe(5);
      expect(new Set(await operations.load())).toEqual(
        new Set([
          { platform: 'CP', state: 'PENDING', count: 1 },
          { platform: 'CP', state: 'RUNNING', count: 2 },
          { platform: 'CF', state: 'RUNNING', count: 1 },
          { state: 'RUNNING', count: 1 },
        ]),
      );
      await operations.finish({ taskId: 1, owner: 'w', attempt: 1 }, 'SUCCEEDED');
      expect(await claimed('w')).toBe(3);
    });

    test('leaves work on a platform that another gateway runs to that one, also when it is the work of a whole application', async () => {
      const { operations, environments } = bench.store;
      const place = { name: 'JavaWebEnv', tenant: 'ada', createdBy: 'ada', nodes: [], variables: {} };
      const [there, here] = [
        await environments.create({ ...place, platform: 'CP' }),
        await environments.create({ ...place, platform: 'CF' }),
      ];
      await operations.enqueue(operation([], { platform: 'CP' }));
      await operations.enqueue(operation([shared(`environment:${there.envId}`), shared(`environment:${here.envId}`)]));
      await operations.enqueue(operation([shared(`environment:${here.envId}`)]));
      await operations.enqueue(operation([], { platform: 'CF' }));
      const claimed = async (elsewhere: string[]) => (await operations.claim('w', 60, undefined, elsewhere))?.taskId;
      expect([await claimed(['CP']), await claimed(['CP']), await claimed(['CP'])]).toEqual([3, 4, undefined]);
      expect([await claimed([]), await claimed([]), await claimed([])]).toEqual([1, 2, undefined]);
    });

    test('of an owner who is dead is free at once, and lost to him', async () => {
      const { operations } = bench.store;
      for (let round = 0; round < 3; round++) await operations.enqueue(operation());
      const lost = claimOf(await operations.claim('dead', 60), 'dead');
      await operations.finish(claimOf(await operations.claim('dead', 60), 'dead'), 'SUCCEEDED');
      await operations.claim('alive', 60);
      expect(await operations.releaseAll('dead')).toBe(1);
      const taken = await operations.claim('dead', 60);
      expect(taken).toMatchObject({ taskId: 1, attempts: 2 });
      expect(await operations.finish(lost, 'SUCCEEDED')).toBe(false);
      expect(await operations.claim('dead', 60)).toBeUndefined();
    });

    test('ends once and for ever', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE]));
      const claim = claimOf(await operations.claim('w', 60), 'w');
      const error = { code: 'Conflict' as const, message: 'it crashed' };
      expect(await operations.finish(claim, 'FAILED', error)).toBe(true);
      const ended = await operations.get(1);
      expect(ended).toMatchObject({ state: 'FAILED', error, progress: 0 });
      expect(ended?.endedAt).toBeDefined();
      expect(await operations.finish(claim, 'SUCCEEDED')).toBe(false);
      expect((await operations.renew(claim, 60)).held).toBe(false);
      expect(await operations.claim('v', 60)).toBeUndefined();
      expect(await operations.get(1)).toEqual(ended);
    });

    test('that succeeds shows all its progress', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation());
      const claim = claimOf(await operations.claim('w', 60), 'w');
      await operations.record(claim, { progress: 40 });
      await operations.finish(claim, 'SUCCEEDED');
      expect(await operations.get(1)).toMatchObject({ state: 'SUCCEEDED', progress: 100 });
    });

    test('is stored together with what else its transaction writes', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation());
      const claim = claimOf(await operations.claim('w', 60), 'w');
      const failing = bench.store.transaction(async (session) => {
        await session.operations.finish(claim, 'SUCCEEDED');
        throw new Error('the instance cannot be written');
      });
      await expect(failing).rejects.toThrow('cannot be written');
      expect((await operations.get(1))?.state).toBe('RUNNING');
    });
  });
}
