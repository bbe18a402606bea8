import { randomInt } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { applications } from './0001-applications.js';
import { operations } from './0001-operations.js';
import { users } from './0001-users.js';
import type { Migration } from './migration.js';

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
