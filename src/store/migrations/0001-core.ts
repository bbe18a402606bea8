import { randomInt } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { Migration } from './migration.js';

const ACTIVE = sql<boolean>`state in ('PENDING', 'RUNNING')`;

export const core: Migration = {
  name: '0001-core',
  async up(db) {
    await settings(db);
    await environments(db);
    await applications(db);
    await operations(db);
    await users(db);
    await auditEvents(db);
  },
};

async function settings(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('settings')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('counters')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into settings (name, value) values ('installation', ${installationId()}) on conflict do nothing`.execute(
    db,
  );
}

/** Legal as the start of names on every platform: a letter first, then letters and digits, all lower-case. */
function installationId(): string {
  const characters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const pick = (among: number) => characters.charAt(randomInt(among));
  return pick(26) + Array.from({ length: 7 }, () => pick(36)).join('');
}

async function environments(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('environments')
    .ifNotExists()
    .addColumn('envId', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('template', 'text')
    .addColumn('provider', 'text')
    .addColumn('platform', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('createdBy', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('memory', 'integer')
    .addColumn('disk', 'integer')
    .addColumn('nodes', 'text', (column) => column.notNull())
    .addColumn('variables', 'text', (column) => column.notNull())
    .addColumn('remarks', 'text', (column) => column.notNull())
    .addColumn('ref', 'text')
    .execute();
}

async function applications(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('applications')
    .ifNotExists()
    .addColumn('appId', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('environmentName', 'text')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('multitenant', 'integer', (column) => column.notNull())
    .addColumn('createdBy', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('lastVersion', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('versions')
    .ifNotExists()
    .addColumn('appId', 'integer', (column) => column.notNull().references('applications.appId').onDelete('cascade'))
    .addColumn('versionId', 'integer', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('label', 'text')
    .addColumn('description', 'text')
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('lastInstance', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('versionsKey', ['appId', 'versionId'])
    .execute();
  await deployables(db);
  await instances(db);
}

async function deployables(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('deployables')
    .ifNotExists()
    .addColumn('appId', 'integer', (column) => column.notNull())
    .addColumn('versionId', 'integer', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('contentType', 'text', (column) => column.notNull())
    .addColumn('location', 'text')
    .addColumn('multitenancyLevel', 'text')
    .addColumn('artefactName', 'text')
    .addColumn('artefactType', 'text')
    .addColumn('artefactSize', 'bigint')
    .addColumn('sha256', 'text')
    .addPrimaryKeyConstraint('deployablesKey', ['appId', 'versionId', 'position'])
    .addForeignKeyConstraint(
      'deployablesVersion',
      ['appId', 'versionId'],
      'versions',
      ['appId', 'versionId'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute();
  await db.schema.createIndex('deployablesBySha256').ifNotExists().on('deployables').column('sha256').execute();
}

async function instances(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('instances')
    .ifNotExists()
    .addColumn('appId', 'integer', (column) => column.notNull())
    .addColumn('versionId', 'integer', (column) => column.notNull())
    .addColumn('instanceId', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('initialState', 'text')
    .addColumn('defaultInstance', 'integer')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('remarks', 'text', (column) => column.notNull())
    .addColumn('processes', 'integer', (column) => column.notNull())
    .addColumn('memory', 'integer')
    .addColumn('disk', 'integer')
    .addColumn('envId', 'integer', (column) => column.references('environments.envId'))
    .addColumn('uri', 'text')
    .addColumn('ref', 'text')
    .addColumn('observedAt', 'text')
    .addPrimaryKeyConstraint('instancesKey', ['appId', 'versionId', 'instanceId'])
    .addForeignKeyConstraint(
      'instancesVersion',
      ['appId', 'versionId'],
      'versions',
      ['appId', 'versionId'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute();
  await db.schema
    .createIndex('instancesByEnvironment')
    .ifNotExists()
    .on('instances')
    .column('envId')
    .where(sql<boolean>`env_id is not null`)
    .execute();
}

async function operations(db: Transaction<unknown>): Promise<void> {
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
    .addPrimaryKeyConstraint('operationLocksKey', ['resource', 'taskId'])
    .execute();
  await db.schema.createIndex('operationLocksByTask').ifNotExists().on('operationLocks').column('taskId').execute();
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

async function users(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .ifNotExists()
    .addColumn('uid', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('nameKey', 'text', (column) => column.notNull().unique())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('email', 'text')
    .addColumn('emailKey', 'text')
    .addColumn('firstName', 'text')
    .addColumn('lastName', 'text')
    .addColumn('affiliation', 'text')
    .addColumn('uuid', 'text')
    .addColumn('openid', 'text')
    .addColumn('credit', 'integer', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('passwordHash', 'text')
    .addColumn('deletedAt', 'text')
    .execute();
  await db.schema.createIndex('usersByEmail').ifNotExists().on('users').column('emailKey').execute();
  await db.schema
    .createTable('apiKeys')
    .ifNotExists()
    .addColumn('keyId', 'text', (column) => column.primaryKey())
    .addColumn('uid', 'integer', (column) => column.notNull().references('users.uid').onDelete('cascade'))
    .addColumn('label', 'text')
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('apiKeysByUser').ifNotExists().on('apiKeys').column('uid').execute();
}

async function auditEvents(db: Transaction<unknown>): Promise<void> {
  await db.schema
    .createTable('auditEvents')
    .ifNotExists()
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('user', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('status', 'integer', (column) => column.notNull())
    .addColumn('requestId', 'text', (column) => column.notNull())
    .execute();
}
