import fc from 'fast-check';
import type { Lock, OperationStore } from '../../../src/store/store.js';
import type { Bench } from '../store.js';
import { claimOf, operation } from './rows.js';

const RUNS = 40;

type Command =
  | { do: 'enqueue'; locks: Lock[] }
  | { do: 'claim'; lease: 0 | 60 }
  | { do: 'finish' | 'release' | 'cancel'; pick: number };

interface Modelled {
  taskId: number;
  locks: Lock[];
  state: 'waiting' | 'running' | 'expired' | 'ended';
  attempts: number;
}

const locks = fc.uniqueArray(
  fc.record({
    resource: fc.constantFrom('a', 'b', 'c'),
    mode: fc.constantFrom('exclusive' as const, 'shared' as const),
  }),
  { selector: ({ resource }) => resource, maxLength: 3 },
);
const commands = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('enqueue' as const), locks }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('claim' as const), lease: fc.constantFrom(0 as const, 60 as const) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('finish' as const, 'release' as const, 'cancel' as const),
        pick: fc.nat(20),
      }),
    },
  ),
  { maxLength: 40 },
);

export function lockRuleCases(bench: Bench): void {
  test('whatever is enqueued, claimed, lost, given back and ended: the next claim is the one that the rule says', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (sequence: Command[]) => {
        const model: Modelled[] = [];
        try {
          for (const command of sequence) await run(bench.store.operations, model, command);
        } finally {
          for (const left of model) await end(bench.store.operations, left);
        }
      }),
      { numRuns: RUNS },
    );
  });
}

async function run(operations: OperationStore, model: Modelled[], command: Command): Promise<void> {
  if (command.do === 'enqueue') {
    const { operation: stored } = await operations.enqueue(operation(command.locks));
    model.push({ taskId: stored.taskId, locks: command.locks, state: 'waiting', attempts: 0 });
    return;
  }
  if (command.do === 'claim') {
    const expected = model.find((one) => isDue(one) && !model.some((older) => holdsBack(older, one)));
    const claimed = await operations.claim('w', command.lease);
    expect(claimed?.taskId).toBe(expected?.taskId);
    if (!expected) return;
    expected.attempts += 1;
    expected.state = command.lease === 0 ? 'expired' : 'running';
    expect(claimed?.attempts).toBe(expected.attempts);
    return;
  }
  const one = model[command.pick];
  if (!one) return;
  const holds = one.state === 'running' || one.state === 'expired';
  if (command.do === 'finish') {
    expect(await operations.finish(claimOf(one, 'w'), 'SUCCEEDED')).toBe(holds);
    if (holds) one.state = 'ended';
  } else if (command.do === 'release') {
    await operations.release(claimOf(one, 'w'));
    if (holds) one.state = 'waiting';
  } else {
    await operations.requestCancel(one.taskId);
    if (one.state === 'waiting' && one.attempts === 0) one.state = 'ended';
  }
}

function isDue({ state }: Modelled): boolean {
  return state === 'waiting' || state === 'expired';
}

function holdsBack(older: Modelled, one: Modelled): boolean {
  return (
    older.taskId < one.taskId &&
    older.state !== 'ended' &&
    older.locks.some((held) =>
      one.locks.some(
        ({ resource, mode }) => resource === held.resource && (mode === 'exclusive' || held.mode === 'exclusive'),
      ),
    )
  );
}

/** The next sequence begins with nothing that is due. */
async function end(operations: OperationStore, left: Modelled): Promise<void> {
  if (left.state === 'ended') return;
  await operations.requestCancel(left.taskId);
  const stored = await operations.get(left.taskId);
  if (stored?.state === 'PENDING') {
    left.state = 'waiting';
    const claimed = await operations.claim('w', 60);
    left.attempts = claimed?.attempts ?? left.attempts;
  }
  await operations.finish(claimOf(left, 'w'), 'CANCELLED');
}
