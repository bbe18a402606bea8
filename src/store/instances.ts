import type { Transaction } from 'kysely';
import type { Instance } from '../domain/model.js';
import { instanceChangesRow, toInstance } from './application-rows.js';
import type { Schema } from './schema.js';
import type { InstanceChanges, InstanceKey } from './store.js';

export async function updateInstance(
  db: Transaction<Schema>,
  { appId, versionId, instanceId }: InstanceKey,
  changes: InstanceChanges,
): Promise<void> {
  const values = instanceChangesRow(changes);
  if (Object.keys(values).length === 0) return;
  await db
    .updateTable('instances')
    .set(values)
    .where((row) => row.and({ appId, versionId, instanceId }))
    .execute();
}

export async function deployed(
  db: Transaction<Schema>,
  filter: { envId?: number; platform?: string } = {},
): Promise<Instance[]> {
  const { envId, platform } = filter;
  let query = db.selectFrom('instances').selectAll('instances').where('instances.envId', 'is not', null);
  if (envId !== undefined) query = query.where('instances.envId', '=', envId);
  if (platform !== undefined) {
    query = query
      .innerJoin('environments', 'environments.envId', 'instances.envId')
      .where('environments.platform', '=', platform);
  }
  const rows = await query
    .orderBy('instances.appId')
    .orderBy('instances.versionId')
    .orderBy('instances.instanceId')
    .execute();
  return rows.map(toInstance);
}
