import { type Selectable, type SqlBool, sql, type Transaction } from 'kysely';
import type { FaultCode } from '../domain/errors.js';
import type { Step, Task } from '../domain/model.js';
import { fromJson, present } from './columns.js';
import type { OperationStepsTable, OperationsTable, Schema } from './schema.js';
import type { Operation } from './store.js';

/** Literally the condition of the indexes: SQLite uses a partial index for no other. */
export const ACTIVE = sql<SqlBool>`state in ('PENDING', 'RUNNING')`;

export type OperationRow = Selectable<OperationsTable>;
type StepRow = Selectable<OperationStepsTable>;

export async function operationsOf(db: Transaction<Schema>, rows: OperationRow[]): Promise<Operation[]> {
  const steps = await stepsOf(db, rows);
  return rows.map((row) => toOperation(row, steps.get(row.taskId) ?? []));
}

export async function tasksOf(db: Transaction<Schema>, rows: OperationRow[]): Promise<Task[]> {
  const steps = await stepsOf(db, rows);
  return rows.map((row) => toTask(row, steps.get(row.taskId) ?? []));
}

/** One that has no steps yet. */
export function newOperation(row: OperationRow): Operation {
  return toOperation(row, []);
}

async function stepsOf(db: Transaction<Schema>, rows: OperationRow[]): Promise<Map<number, StepRow[]>> {
  const byTask = new Map<number, StepRow[]>(rows.map((row) => [row.taskId, []]));
  if (rows.length === 0) return byTask;
  const steps = await db
    .selectFrom('operationSteps')
    .selectAll()
    .where('taskId', 'in', [...byTask.keys()])
    .orderBy('taskId')
    .orderBy('position')
    .execute();
  for (const step of steps) byTask.get(step.taskId)?.push(step);
  return byTask;
}

function toOperation(row: OperationRow, steps: StepRow[]): Operation {
  const results = steps.flatMap(({ name, result }) => (result === null ? [] : [[name, fromJson(result)] as const]));
  return {
    ...toTask(row, steps),
    input: fromJson(row.input),
    ...present({ platform: row.platform, requestId: row.requestId }),
    attempts: row.attempts,
    cancelRequested: row.cancelRequested === 1,
    results: Object.fromEntries(results),
  };
}

function toTask(row: OperationRow, steps: StepRow[]): Task {
  const { taskId, action, state, progress, tenant, createdBy, createdAt } = row;
  const { appId, versionId, instanceId, envId, startedAt, endedAt, errorCode, errorMessage } = row;
  return {
    ...present({ taskId, action, state, progress, tenant, createdBy, createdAt }),
    ...present({ appId, versionId, instanceId, envId, startedAt, endedAt }),
    steps: steps.map(toStep),
    ...(errorCode !== null && { error: { code: errorCode as FaultCode, message: errorMessage ?? '' } }),
  };
}

function toStep({ name, state, startedAt, endedAt, progress, text }: StepRow): Step {
  return present({ name, state, startedAt, endedAt, progress, text });
}
