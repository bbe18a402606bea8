import type { Transaction } from 'kysely';

export async function users(db: Transaction<unknown>): Promise<void> {
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
