import type { Bench } from '../store.js';
import { all, claimOf, exclusive, operation } from './rows.js';

const LATER = '2999-01-01T00:00:00.000Z';
const STEP = { name: 'upload', state: 'DONE' as const, startedAt: '2026-11-21T20:15:00.000Z' };

export function retentionCases(bench: Bench): void {
  test('operations that have ended are deleted in batches with their steps, the others never', async () => {
    const { operations } = bench.store;
    for (let round = 1; round <= 5; round++) await operations.enqueue(operation([exclusive(`instance:1:${round}`)]));
    for (const taskId of [1, 2, 3, 4]) {
      const claim = claimOf(await operations.claim('w', 60), 'w');
      await operations.record(claim, { steps: [{ ...STEP, result: 'kept' }] });
      if (taskId !== 2) await operations.finish(claim, 'SUCCEEDED');
    }
    await operations.requestCancel(5);
    await operations.enqueue(operation());
    expect(await operations.prune('2001-01-01T00:00:00.000Z', { after: 0, size: 2 })).toEqual({ deleted: 0 });
    expect(await operations.prune(LATER, { after: 0, size: 3 })).toEqual({ deleted: 2, next: 3 });
    expect(await operations.prune(LATER, { after: 3, size: 3 })).toEqual({ deleted: 2, next: 6 });
    expect(await operations.prune(LATER, { after: 6, size: 3 })).toEqual({ deleted: 0 });
    expect((await all(operations.list({}))).map(({ taskId, state }) => [taskId, state])).toEqual([
      [6, 'PENDING'],
      [2, 'RUNNING'],
    ]);
    expect((await operations.get(2))?.results).toEqual({ upload: 'kept' });
    expect((await operations.enqueue(operation())).operation.taskId).toBe(7);
  });

  test('audit events are deleted in batches up to the time', async () => {
    const { audit } = bench.store;
    const event = { user: 'alice', action: 'createApplication', target: '/app', status: 200, requestId: 'r' };
    for (const year of [2001, 2002, 2003, 2024]) await audit.add({ ...event, at: `${year}-01-01T00:00:00.000Z` });
    const before = '2010-01-01T00:00:00.000Z';
    expect(await audit.prune(before, { after: 0, size: 2 })).toEqual({ deleted: 2, next: 2 });
    expect(await audit.prune(before, { after: 2, size: 2 })).toEqual({ deleted: 1 });
    await audit.add(event);
    expect((await all(audit.list())).map(({ id }) => id)).toEqual([5, 4]);
  });
}
