import { sql, type Transaction } from 'kysely';
import type { Migration } from './migration.js';

/** For lists and searches whose cost must not grow with what others have. */
export const indexes: Migration = {
  name: '0003-indexes',
  async up({ schema }: Transaction<unknown>) {
    const index = (name: string, table: string, columns: string[]) =>
      schema.createIndex(name).ifNotExists().on(table).columns(columns);
    await index('applicationsByTenant', 'applications', ['tenant', 'appId']).execute();
    await index('applicationsByName', 'applications', ['name', 'appId']).execute();
    await index('applicationsOfAll', 'applications', ['appId']).where(sql<boolean>`multitenant = 1`).execute();
    await index('environmentsByTenant', 'environments', ['tenant', 'envId']).execute();
    await index('environmentsByName', 'environments', ['name', 'envId']).execute();
    // Also tells the states that are on an environment without a look at the instances.
    await schema.dropIndex('instancesByEnvironment').ifExists().execute();
    await index('instancesByEnvironmentAndState', 'instances', ['envId', 'state'])
      .where(sql<boolean>`env_id is not null`)
      .execute();
  },
};
