import type { Transaction } from 'kysely';
import type { Migration } from './migration.js';

/** What the ConPaaS Director and its managers keep. */
export const conpaas: Migration = {
  name: '0002-conpaas',
  async up(db) {
    await services(db);
    await nodes(db);
    await code(db);
    await certificates(db);
    await credits(db);
  },
};

async function services({ schema }: Transaction<unknown>): Promise<void> {
  await schema
    .createTable('conpaasApplications')
    .ifNotExists()
    .addColumn('aid', 'integer', (column) => column.primaryKey())
    .addColumn('uid', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addUniqueConstraint('conpaasApplicationsName', ['uid', 'name'])
    .execute();
  await schema
    .createTable('conpaasServices')
    .ifNotExists()
    .addColumn('sid', 'integer', (column) => column.primaryKey())
    .addColumn('aid', 'integer', (column) => column.notNull().references('conpaasApplications.aid'))
    .addColumn('uid', 'integer', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('cloud', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('vmid', 'integer', (column) => column.notNull())
    .addColumn('manager', 'text', (column) => column.notNull())
    .addColumn('endpoint', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('current', 'text', (column) => column.notNull())
    .addColumn('goal', 'text')
    .execute();
  await schema
    .createIndex('conpaasServicesByUser')
    .ifNotExists()
    .on('conpaasServices')
    .columns(['uid', 'aid'])
    .execute();
  await schema
    .createTable('conpaasHistory')
    .ifNotExists()
    .addColumn('sid', 'integer', (column) => column.notNull().references('conpaasServices.sid').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('conpaasHistoryKey', ['sid', 'position'])
    .execute();
}

async function nodes({ schema }: Transaction<unknown>): Promise<void> {
  await schema
    .createTable('conpaasNodes')
    .ifNotExists()
    .addColumn('nodeId', 'text', (column) => column.primaryKey())
    .addColumn('sid', 'integer', (column) => column.notNull().references('conpaasServices.sid').onDelete('cascade'))
    .addColumn('vmid', 'integer', (column) => column.notNull())
    .addColumn('cloud', 'text', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('endpoint', 'text')
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('paidUntil', 'text', (column) => column.notNull())
    .execute();
  await schema.createIndex('conpaasNodesByService').ifNotExists().on('conpaasNodes').column('sid').execute();
  await schema
    .createTable('conpaasAddresses')
    .ifNotExists()
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('port', 'integer', (column) => column.notNull())
    .addColumn('sid', 'integer', (column) => column.notNull().references('conpaasServices.sid').onDelete('cascade'))
    .addColumn('nodeId', 'text', (column) => column.references('conpaasNodes.nodeId').onDelete('cascade'))
    .addPrimaryKeyConstraint('conpaasAddressesKey', ['host', 'address', 'port'])
    .execute();
}

async function code({ schema }: Transaction<unknown>): Promise<void> {
  await schema
    .createTable('conpaasCodeVersions')
    .ifNotExists()
    .addColumn('sid', 'integer', (column) => column.notNull().references('conpaasServices.sid').onDelete('cascade'))
    .addColumn('codeVersionId', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('filename', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('createdAt', 'text', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('size', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('conpaasCodeVersionsKey', ['sid', 'codeVersionId'])
    .execute();
}

async function certificates({ schema }: Transaction<unknown>): Promise<void> {
  await schema
    .createTable('conpaasCertificates')
    .ifNotExists()
    .addColumn('fingerprint', 'text', (column) => column.primaryKey())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('uid', 'integer', (column) => column.notNull())
    .addColumn('sid', 'integer', (column) => column.notNull())
    .addColumn('expiresAt', 'text', (column) => column.notNull())
    .addColumn('revokedAt', 'text')
    .execute();
  await schema
    .createIndex('conpaasCertificatesBySubject')
    .ifNotExists()
    .on('conpaasCertificates')
    .columns(['sid', 'uid'])
    .execute();
}

async function credits({ schema }: Transaction<unknown>): Promise<void> {
  await schema
    .createTable('conpaasCharges')
    .ifNotExists()
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('uid', 'integer', (column) => column.notNull())
    .addColumn('sid', 'integer', (column) => column.notNull())
    .addColumn('amount', 'integer', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .execute();
  await schema
    .createTable('conpaasLeases')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('until', 'double precision', (column) => column.notNull())
    .execute();
}
