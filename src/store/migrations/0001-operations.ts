import { sql, type Transaction } from 'kysely';

const ACTIVE = sql<boolean>`state in ('PENDING', 'RUNNING')`;

export async function operations(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('operations')
    .ifNotExists()
    .addColumn('taskId', 'integer', (column) => column.primaryKey())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('progress', 'double precision', (column) => column.notNull())
    .addColumn('input', 'text', (column) => column.notNull())
    .addColumn('equalKey', 'text')
    .addColumn('platform', 'text')
    .addColumn('appId', 'integer')
    .addColumn('versionId', 'integer')
    .addColumn('instanceId', 'integer')
    .addColumn('envId', 'integer')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('createdBy', 'text', (column) => column.notNull())
    .addColumn('requestId', 'text')
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('startedAt', 'text')
    .addColumn('endedAt', 'text')
    .addColumn('errorCode', 'text')
    .addColumn('errorMessage', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('cancelRequested', 'integer', (column) => column.notNull())
    .addColumn('leaseOwner', 'text')
    .addColumn('leaseUntil', 'double precision')
    .execute();
  await db.schema
    .createIndex('operationsActive')
    .ifNotExists()
    .on('operations')
    .column('taskId')
    .where(ACTIVE)
    .execute();
  await db.schema
    .createIndex('operationsByEqualKey')
    .ifNotExists()
    .on('operations')
    .column('equalKey')
    .where(ACTIVE)
    .execute();
  await db.schema
    .createIndex('operationsByTenant')
    .ifNotExists()
    .on('operations')
    .columns(['tenant', 'taskId'])
    .execute();
  await locksAndSteps(db);
}

async function locksAndSteps(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('operationLocks')
    .ifNotExists()
    .addColumn('taskId', 'integer', (column) => column.notNull().references('operations.taskId').onDelete('cascade'))
    .addColumn('resource', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('operationLocksKey', ['taskId', 'resource'])
    .execute();
  await db.schema
    .createIndex('operationLocksByResource')
    .ifNotExists()
    .on('operationLocks')
    .columns(['resource', 'mode', 'taskId'])
    .execute();
  await db.schema
    .createTable('operationSteps')
    .ifNotExists()
    .addColumn('taskId', 'integer', (column) => column.notNull().references('operations.taskId').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('startedAt', 'text', (column) => column.notNull())
    .addColumn('endedAt', 'text')
    .addColumn('progress', 'double precision')
    .addColumn('text', 'text')
    .addColumn('result', 'text')
    .addPrimaryKeyConstraint('operationStepsKey', ['taskId', 'name'])
    .execute();
}
