import type { Transaction } from 'kysely';
import type { Task } from '../domain/model.js';
import { TERMINAL_OPERATION_STATES } from '../domain/states.js';
import { claims } from './claims.js';
import { timestamp, toJson } from './columns.js';
import { next } from './counters.js';
import { type Chunk, chunks } from './keyset.js';
import { ACTIVE, newOperation, type OperationRow, operationsOf, tasksOf } from './operation-rows.js';
import { pruned } from './retention.js';
import type { Run } from './run.js';
import type { Schema } from './schema.js';
import type { Batch, Lock, NewOperation, Operation, OperationLoad, OperationStore, Pruned, Scope } from './store.js';

/** A statement has at most some ten thousand parameters. */
const LOCKS_AT_ONCE = 1000;

export function operationStore(run: Run): OperationStore {
  return {
    enqueue: (operation) => run.write((db) => enqueue(db, operation)),
    get: (taskId) => run.read((db) => find(db, taskId)),
    list: (scope, paging) =>
      chunks(
        (chunk) => run.read((db) => tasks(db, scope, chunk)),
        (task) => task.taskId,
        paging,
      ),
    unfinished: () =>
      run.read(async (db) => {
        const active = db.selectFrom('operations').selectAll().where('state', 'in', ['PENDING', 'RUNNING']);
        return operationsOf(db, await active.orderBy('taskId').execute());
      }),
    pendingOn: (resource) =>
      run.read(async (db) => {
        const rows = await db
          .selectFrom('operationLocks')
          .innerJoin('operations', 'operations.taskId', 'operationLocks.taskId')
          .selectAll('operations')
          .where('resource', '=', resource)
          .orderBy('operations.taskId')
          .execute();
        return operationsOf(db, rows);
      }),
    requestCancel: (taskId) => run.write((db) => requestCancel(db, run, taskId)),
    active: () =>
      run.read(async (db) => {
        const { count } = await db
          .selectFrom('operations')
          .select(db.fn.countAll<number>().as('count'))
          .where(ACTIVE)
          .executeTakeFirstOrThrow();
        return count;
      }),
    load: () => run.read(load),
    prune: (endedBefore, batch) => run.write((db) => prune(db, endedBefore, batch)),
    ...claims(run),
  };
}

async function load(db: Transaction<Schema>): Promise<OperationLoad[]> {
  const rows = await db
    .selectFrom('operations')
    .select(['platform', 'state', db.fn.countAll<number>().as('count')])
    .where(ACTIVE)
    .groupBy(['platform', 'state'])
    .execute();
  return rows.map(({ platform, state, count }) => ({
    ...(platform === null ? {} : { platform }),
    state: state as OperationLoad['state'],
    count,
  }));
}

/** An operation ends after it began: what was stored after the limit cannot have ended before it. */
async function prune(db: Transaction<Schema>, endedBefore: string, { after, size }: Batch): Promise<Pruned> {
  const rows = await db
    .selectFrom('operations')
    .select(['taskId', 'state', 'createdAt', 'endedAt'])
    .where('taskId', '>', after)
    .orderBy('taskId')
    .limit(size)
    .execute();
  const old = rows
    .filter(
      ({ state, endedAt }) => TERMINAL_OPERATION_STATES.includes(state) && endedAt !== null && endedAt < endedBefore,
    )
    .map(({ taskId }) => taskId);
  if (old.length > 0) await db.deleteFrom('operations').where('taskId', 'in', old).execute();
  const last = rows.at(-1);
  return pruned(old.length, last && { id: last.taskId, at: last.createdAt }, endedBefore, rows.length === size);
}

async function find(db: Transaction<Schema>, taskId: number): Promise<Operation | undefined> {
  const row = await db.selectFrom('operations').selectAll().where('taskId', '=', taskId).executeTakeFirst();
  return row && (await operationsOf(db, [row]))[0];
}

async function tasks(db: Transaction<Schema>, { tenant }: Scope, { after, offset, limit }: Chunk): Promise<Task[]> {
  let query = db.selectFrom('operations').selectAll();
  if (tenant !== undefined) query = query.where('tenant', '=', tenant);
  if (after !== undefined) query = query.where('taskId', '<', after);
  return tasksOf(db, await query.orderBy('taskId', 'desc').limit(limit).offset(offset).execute());
}

async function enqueue(
  db: Transaction<Schema>,
  operation: NewOperation,
): Promise<{ operation: Operation; joined: boolean }> {
  const locks = strongest(operation.locks);
  const running = await joinable(db, operation, locks);
  if (running) return { operation: running, joined: true };
  // The counter's lock lets one enqueuer in at a time: the second look sees what another one stored meanwhile.
  const taskId = await next(db, 'task');
  const raced = await joinable(db, operation, locks);
  if (raced) return { operation: raced, joined: true };
  const row = newRow(taskId, operation);
  await db.insertInto('operations').values(row).execute();
  for (let at = 0; at < locks.length; at += LOCKS_AT_ONCE) {
    const some = locks.slice(at, at + LOCKS_AT_ONCE).map((lock) => ({ taskId, ...lock }));
    await db.insertInto('operationLocks').values(some).execute();
  }
  return { operation: newOperation(row), joined: false };
}

function newRow(taskId: number, operation: NewOperation): OperationRow {
  return {
    taskId,
    action: operation.action,
    state: 'PENDING',
    progress: 0,
    input: toJson(operation.input),
    equalKey: operation.equal ?? null,
    platform: operation.platform ?? null,
    appId: operation.appId ?? null,
    versionId: operation.versionId ?? null,
    instanceId: operation.instanceId ?? null,
    envId: operation.envId ?? null,
    tenant: operation.tenant,
    createdBy: operation.createdBy,
    requestId: operation.requestId ?? null,
    createdAt: timestamp(),
    startedAt: null,
    endedAt: null,
    errorCode: null,
    errorMessage: null,
    attempts: 0,
    cancelRequested: 0,
    leaseOwner: null,
    leaseUntil: null,
  };
}

/** One lock for each resource; exclusive wins. */
function strongest(locks: readonly Lock[]): Lock[] {
  const modes = new Map<string, Lock['mode']>();
  for (const { resource, mode } of locks) {
    if (modes.get(resource) !== 'exclusive') modes.set(resource, mode);
  }
  return [...modes].map(([resource, mode]) => ({ resource, mode }));
}

async function joinable(
  db: Transaction<Schema>,
  { equal, tenant }: NewOperation,
  locks: Lock[],
): Promise<Operation | undefined> {
  if (equal === undefined) return undefined;
  const row = await db
    .selectFrom('operations')
    .selectAll()
    .where('equalKey', '=', equal)
    .where('tenant', '=', tenant)
    .where(ACTIVE)
    .where('cancelRequested', '=', 0)
    .orderBy('taskId', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row || (await overtaken(db, row.taskId, locks))) return undefined;
  return (await operationsOf(db, [row]))[0];
}

/** Whether a younger operation waits for a lock that conflicts with these. */
async function overtaken(db: Transaction<Schema>, taskId: number, locks: Lock[]): Promise<boolean> {
  if (locks.length === 0) return false;
  const younger = await db
    .selectFrom('operationLocks')
    .select('taskId')
    .where('taskId', '>', taskId)
    .where((row) =>
      row.or(
        locks.map(({ resource, mode }) =>
          mode === 'exclusive' ? row('resource', '=', resource) : row.and({ resource, mode: 'exclusive' }),
        ),
      ),
    )
    .limit(1)
    .executeTakeFirst();
  return younger !== undefined;
}

async function requestCancel(db: Transaction<Schema>, run: Run, taskId: number): Promise<Operation | undefined> {
  const row = await db
    .selectFrom('operations')
    .select(['state', 'attempts'])
    .where('taskId', '=', taskId)
    .modifyEnd(run.lock)
    .executeTakeFirst();
  if (row?.state === 'PENDING' && row.attempts === 0) {
    await db
      .updateTable('operations')
      .set({ state: 'CANCELLED', endedAt: timestamp(), cancelRequested: 1 })
      .where('taskId', '=', taskId)
      .execute();
    await db.deleteFrom('operationLocks').where('taskId', '=', taskId).execute();
  } else if (row?.state === 'PENDING' || row?.state === 'RUNNING') {
    await db.updateTable('operations').set({ cancelRequested: 1 }).where('taskId', '=', taskId).execute();
  }
  return find(db, taskId);
}
