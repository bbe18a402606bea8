import type { Bench } from '../store.js';
import { all, claimOf, exclusive, operation, shared } from './rows.js';

const INSTANCE = exclusive('instance:1:1');
const STEP = { name: 'upload', state: 'RUNNING' as const, startedAt: '2026-11-21T20:15:00.000Z' };

export function operationCases(bench: Bench): void {
  describe('operations', () => {
    test('are stored PENDING and read back alike', async () => {
      const { operations } = bench.store;
      const { operation: stored, joined } = await operations.enqueue(
        operation([INSTANCE], {
          input: { nested: ['é', null, 1.5] },
          platform: 'CF',
          appId: 1,
          versionId: 2,
          instanceId: 3,
          envId: 4,
          requestId: 'r-1',
        }),
      );
      expect(joined).toBe(false);
      expect(stored).toMatchObject({
        taskId: 1,
        state: 'PENDING',
        progress: 0,
        steps: [],
        results: {},
        attempts: 0,
        cancelRequested: false,
        input: { nested: ['é', null, 1.5] },
        platform: 'CF',
        appId: 1,
        versionId: 2,
        instanceId: 3,
        envId: 4,
        requestId: 'r-1',
      });
      expect(stored).not.toHaveProperty('startedAt');
      expect(await operations.get(1)).toEqual(stored);
      expect(await operations.get(2)).toBeUndefined();
    });

    test('are listed newest first as tasks of a tenant', async () => {
      const { operations } = bench.store;
      for (const tenant of ['acme', 'other', 'acme', 'acme']) await operations.enqueue(operation([], { tenant }));
      const tasks = await all(operations.list({ tenant: 'acme' }));
      expect(tasks.map(({ taskId }) => taskId)).toEqual([4, 3, 1]);
      expect(tasks[0]).not.toHaveProperty('input');
      expect((await all(operations.list({}, { pageSize: 2, page: 2 }))).map(({ taskId }) => taskId)).toEqual([2, 1]);
    });

    test('journal their steps in order; a result stays when the step is told of again', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation());
      const claim = claimOf(await operations.claim('w', 60), 'w');
      const upload = { ...STEP, progress: 12.5, text: '5 of 40 MiB' };
      await operations.record(claim, { steps: [upload, { ...STEP, name: 'route' }], progress: 10 });
      const done = { ...STEP, state: 'DONE' as const, endedAt: '2026-11-21T20:16:00.000Z' };
      await operations.record(claim, { steps: [{ ...done, result: { guid: 'g' } }] });
      await operations.record(claim, { steps: [done] });
      await operations.record(claim, { steps: [{ ...done, name: 'nothing', result: null }] });
      await operations.record(claim, { progress: 66.5 });
      const stored = await operations.get(1);
      expect(stored?.steps).toEqual([done, { ...STEP, name: 'route' }, { ...done, name: 'nothing' }]);
      expect(stored?.results).toEqual({ upload: { guid: 'g' }, nothing: null });
      expect(stored?.progress).toBe(66.5);
      expect((await all(operations.list({})))[0]?.steps).toEqual(stored?.steps);
    });

    test('those that are not terminal are found, oldest first; one may hold thousands of locks', async () => {
      const { operations } = bench.store;
      await operations.enqueue(
        operation(Array.from({ length: 2500 }, (_, number) => exclusive(`application:${number}`))),
      );
      for (const _ of [2, 3]) await operations.enqueue(operation([]));
      await operations.requestCancel(2);
      expect((await operations.unfinished()).map(({ taskId }) => taskId)).toEqual([1, 3]);
      expect((await operations.pendingOn('application:2499')).map(({ taskId }) => taskId)).toEqual([1]);
    });

    test('those that hold or wait for a resource are found, oldest first', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE, shared('environment:1')]));
      await operations.enqueue(operation([exclusive('environment:1')]));
      await operations.enqueue(operation([INSTANCE, shared('environment:2')]));
      const pending = async (resource: string) => (await operations.pendingOn(resource)).map(({ taskId }) => taskId);
      expect(await pending('instance:1:1')).toEqual([1, 3]);
      expect(await pending('environment:1')).toEqual([1, 2]);
      await operations.finish(claimOf(await operations.claim('w', 60), 'w'), 'SUCCEEDED');
      expect(await pending('instance:1:1')).toEqual([3]);
      expect(await pending('unknown')).toEqual([]);
    });
  });

  describe('an equal operation', () => {
    const start = operation([INSTANCE], { equal: 'start 1/1/1' });

    test.each(['PENDING', 'RUNNING'] as const)('joins one that is %s', async (state) => {
      const { operations } = bench.store;
      await operations.enqueue(start);
      if (state === 'RUNNING') await operations.claim('w', 60);
      const { operation: found, joined } = await operations.enqueue(start);
      expect([joined, found.taskId, found.state]).toEqual([true, 1, state]);
      expect(await all(operations.list({}))).toHaveLength(1);
    });

    test('does not join what has ended, is being cancelled, has no key or is of another tenant', async () => {
      const { operations } = bench.store;
      await operations.enqueue(start);
      await operations.finish(claimOf(await operations.claim('w', 60), 'w'), 'FAILED');
      expect((await operations.enqueue(start)).operation.taskId).toBe(2);
      await operations.claim('w', 60);
      await operations.requestCancel(2);
      expect((await operations.enqueue(start)).operation.taskId).toBe(3);
      expect((await operations.enqueue({ ...start, tenant: 'other' })).operation.taskId).toBe(4);
      expect((await operations.enqueue(operation([INSTANCE]))).operation.taskId).toBe(5);
      expect((await operations.enqueue(operation([INSTANCE]))).operation.taskId).toBe(6);
    });

    test('does not join across a conflicting one that waits: start, stop, start ends started', async () => {
      const { operations } = bench.store;
      await operations.enqueue(start);
      await operations.claim('w', 60);
      await operations.enqueue(operation([INSTANCE], { action: 'stop', equal: 'stop 1/1/1' }));
      expect(await operations.enqueue(start)).toMatchObject({ joined: false, operation: { taskId: 3 } });
      expect(await operations.enqueue(start)).toMatchObject({ joined: true, operation: { taskId: 3 } });
    });

    test('joins across one that shares the locks', async () => {
      const { operations } = bench.store;
      const look = operation([shared('environment:1')], { equal: 'look' });
      await operations.enqueue(look);
      await operations.enqueue(operation([shared('environment:1')]));
      expect((await operations.enqueue(look)).joined).toBe(true);
    });

    test('that comes many times at once, through two gateways, is stored once', async () => {
      const other = await bench.open();
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? bench.store : other).operations.enqueue(start)),
      );
      expect(results.filter(({ joined }) => !joined)).toHaveLength(1);
      expect(new Set(results.map(({ operation: { taskId } }) => taskId)).size).toBe(1);
    });
  });

  describe('a cancel', () => {
    test('ends what is PENDING at once and frees its locks', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE]));
      await operations.enqueue(operation([INSTANCE]));
      const cancelled = await operations.requestCancel(1);
      expect(cancelled).toMatchObject({ state: 'CANCELLED' });
      expect(cancelled?.endedAt).toBeDefined();
      expect((await operations.claim('w', 60))?.taskId).toBe(2);
    });

    test('is asked for while it runs, and told at the next renewal and to the next owner', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE]));
      const claim = claimOf(await operations.claim('w', 60), 'w');
      expect(await operations.renew(claim, 60)).toEqual({ held: true, cancelRequested: false });
      expect(await operations.requestCancel(1)).toMatchObject({ state: 'RUNNING', cancelRequested: true });
      expect(await operations.renew(claim, 0)).toEqual({ held: true, cancelRequested: true });
      expect(await operations.claim('v', 60)).toMatchObject({ taskId: 1, cancelRequested: true, attempts: 2 });
    });

    test('of one that was given back half-done leaves the undoing to its next owner', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation([INSTANCE]));
      const claim = claimOf(await operations.claim('w', 60), 'w');
      await operations.record(claim, { steps: [{ ...STEP, result: { guid: 'g' } }] });
      await operations.release(claim);
      expect(await operations.requestCancel(1)).toMatchObject({ state: 'PENDING', cancelRequested: true });
      expect(await operations.claim('v', 60)).toMatchObject({
        cancelRequested: true,
        results: { upload: { guid: 'g' } },
      });
    });

    test('changes nothing about what has ended, and finds nothing where nothing is', async () => {
      const { operations } = bench.store;
      await operations.enqueue(operation());
      await operations.finish(claimOf(await operations.claim('w', 60), 'w'), 'SUCCEEDED');
      expect(await operations.requestCancel(1)).toMatchObject({ state: 'SUCCEEDED', cancelRequested: false });
      expect(await operations.requestCancel(2)).toBeUndefined();
    });
  });
}
