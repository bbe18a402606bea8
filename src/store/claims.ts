import { type ExpressionBuilder, sql, type Transaction } from 'kysely';
import { timestamp, toJson } from './columns.js';
import { ACTIVE, newOperation, operationsOf } from './operation-rows.js';
import type { Run } from './run.js';
import type { OperationLocksTable, Schema } from './schema.js';
import type { Claim, LockMode, News, Operation, OperationStore } from './store.js';

/** The part of the operations' aggregate with which workers share the work out. */
export function claims(
  run: Run,
): Pick<OperationStore, 'claim' | 'renew' | 'release' | 'releaseAll' | 'record' | 'finish'> {
  return {
    claim: (owner, leaseSeconds, perPlatform, elsewhere = []) =>
      run.write((db) => claim(db, run, { owner, leaseSeconds, perPlatform, elsewhere })),
    renew: (held, leaseSeconds) =>
      run.write(async (db) => {
        const row = await update(db, held)
          .set({ leaseUntil: leaseEnd(run, leaseSeconds) })
          .returning('cancelRequested')
          .executeTakeFirst();
        return { held: row !== undefined, cancelRequested: row?.cancelRequested === 1 };
      }),
    release: (held) =>
      run.write(async (db) => {
        await update(db, held).set({ state: 'PENDING', leaseOwner: null, leaseUntil: null }).execute();
      }),
    releaseAll: (owner) =>
      run.write(async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('operations')
          .set({ state: 'PENDING', leaseOwner: null, leaseUntil: null })
          .where(ACTIVE)
          .where('leaseOwner', '=', owner)
          .executeTakeFirst();
        return Number(numUpdatedRows);
      }),
    record: (held, news) => run.write((db) => record(db, run, held, news)),
    finish: (held, state, error) =>
      run.write(async (db) => {
        const { numUpdatedRows } = await update(db, held)
          .set({
            state,
            endedAt: timestamp(),
            ...(state === 'SUCCEEDED' && { progress: 100 }),
            errorCode: error?.code ?? null,
            errorMessage: error?.message ?? null,
            leaseOwner: null,
            leaseUntil: null,
          })
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await db.deleteFrom('operationLocks').where('taskId', '=', held.taskId).execute();
        return true;
      }),
  };
}

function leaseEnd(run: Run, seconds: number) {
  return sql<number>`${run.now} + cast(${seconds} as double precision)`;
}

/** An update that touches the operation only as long as the claim holds. */
function update(db: Transaction<Schema>, { taskId, owner, attempt }: Claim) {
  return db
    .updateTable('operations')
    .where((row) => row.and({ taskId, leaseOwner: owner, attempts: attempt, state: 'RUNNING' }));
}

/**
 * What is due stays due until somebody takes it: older operations only ever end, and numbers become visible in their order (counters.ts).
 * So it is enough that the row itself has one taker, which its lock sees to on PostgreSQL and the one writer on SQLite.
 */
async function claim(
  db: Transaction<Schema>,
  run: Run,
  {
    owner,
    leaseSeconds,
    perPlatform,
    elsewhere,
  }: { owner: string; leaseSeconds: number; perPlatform: number | undefined; elsewhere: readonly string[] },
): Promise<Operation | undefined> {
  const full = perPlatform === undefined ? [] : await fullPlatforms(db, run, perPlatform);
  const shut = [...full, ...elsewhere];
  const due = await db
    .selectFrom('operations')
    .select('taskId')
    .where(ACTIVE)
    .where((row) => row.or([row('state', '=', 'PENDING'), row('leaseUntil', '<=', run.now)]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('operationLocks as mine')
            .select('mine.taskId')
            .whereRef('mine.taskId', '=', 'operations.taskId')
            .where((row) =>
              row.or([
                row('mine.taskId', '>', oldestOnSameResource(row, 'exclusive')),
                row.and([
                  row('mine.mode', '=', 'exclusive'),
                  row('mine.taskId', '>', oldestOnSameResource(row, 'shared')),
                ]),
              ]),
            ),
        ),
      ),
    )
    .$if(shut.length > 0, (query) =>
      query.where((row) => row.or([row('platform', 'is', null), row('platform', 'not in', shut)])),
    )
    .$if(elsewhere.length > 0, (query) => query.where(notLockedOn(elsewhere)))
    .orderBy('taskId')
    .limit(1)
    .modifyEnd(run.lockOrSkip)
    .executeTakeFirst();
  if (!due) return undefined;
  const row = await db
    .updateTable('operations')
    .set((before) => ({
      state: 'RUNNING' as const,
      attempts: before('attempts', '+', 1),
      leaseOwner: owner,
      leaseUntil: leaseEnd(run, leaseSeconds),
      startedAt: before.fn.coalesce('startedAt', before.val(timestamp())),
    }))
    .where('taskId', '=', due.taskId)
    .returningAll()
    .executeTakeFirstOrThrow();
  return row.attempts === 1 ? newOperation(row) : (await operationsOf(db, [row]))[0];
}

/** It has no lock on an environment of these platforms: work on a whole application names none of them itself. */
function notLockedOn(platforms: readonly string[]) {
  return sql<boolean>`not exists (select 1 from ${sql.table('operationLocks')} as held
    join ${sql.table('environments')} as place on held.resource = 'environment:' || cast(place.${sql.ref('envId')} as text)
    where held.${sql.ref('taskId')} = ${sql.ref('operations.taskId')} and place.platform in (${sql.join(platforms)}))`;
}

/** Those on which so many run. A dead worker's operations do not count: they have to be taken over. */
async function fullPlatforms(db: Transaction<Schema>, run: Run, most: number): Promise<string[]> {
  const rows = await db
    .selectFrom('operations')
    .select('platform')
    .where(ACTIVE)
    .where('state', '=', 'RUNNING')
    .where('leaseUntil', '>', run.now)
    .groupBy('platform')
    .having((row) => row(row.fn.countAll<number>(), '>=', most))
    .execute();
  return rows.flatMap(({ platform }) => platform ?? []);
}

/** One look into the index each; a join of the locks with themselves grows with the square of a queue. */
function oldestOnSameResource(mine: ExpressionBuilder<Schema & { mine: OperationLocksTable }, 'mine'>, mode: LockMode) {
  return mine
    .selectFrom('operationLocks as older')
    .select((older) => older.fn.min('older.taskId').as('taskId'))
    .whereRef('older.resource', '=', 'mine.resource')
    .where('older.mode', '=', mode);
}

async function record(
  db: Transaction<Schema>,
  run: Run,
  held: Claim,
  { steps = [], progress }: News,
): Promise<boolean> {
  const { taskId, owner, attempt } = held;
  const mine =
    progress === undefined
      ? await db
          .selectFrom('operations')
          .select('taskId')
          .where((row) => row.and({ taskId, leaseOwner: owner, attempts: attempt, state: 'RUNNING' }))
          .modifyEnd(run.lock)
          .executeTakeFirst()
      : await update(db, held).set({ progress }).returning('taskId').executeTakeFirst();
  if (!mine) return false;
  if (steps.length > 0) await recordSteps(db, taskId, steps);
  return true;
}

/** New ones come after those that are there; a result stays when a step is told of again without one. */
async function recordSteps(db: Transaction<Schema>, taskId: number, steps: NonNullable<News['steps']>): Promise<void> {
  const { last } = await db
    .selectFrom('operationSteps')
    .select((row) => row.fn.coalesce(row.fn.max('position'), sql<number>`0`).as('last'))
    .where('taskId', '=', taskId)
    .executeTakeFirstOrThrow();
  const rows = steps.map(({ name, state, startedAt, endedAt, progress, text, result }, index) => ({
    ...{ taskId, name, position: last + 1 + index, state, startedAt },
    endedAt: endedAt ?? null,
    progress: progress ?? null,
    text: text ?? null,
    result: result === undefined ? null : toJson(result),
  }));
  await db
    .insertInto('operationSteps')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['taskId', 'name']).doUpdateSet((row) => ({
        state: row.ref('excluded.state'),
        startedAt: row.ref('excluded.startedAt'),
        endedAt: row.ref('excluded.endedAt'),
        progress: row.ref('excluded.progress'),
        text: row.ref('excluded.text'),
        result: row.fn.coalesce('excluded.result', 'operationSteps.result'),
      })),
    )
    .execute();
}
