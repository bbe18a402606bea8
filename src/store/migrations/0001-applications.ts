import { sql, type Transaction } from 'kysely';

export async function applications(db: Transaction<unknown>): Promise<void> {
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
