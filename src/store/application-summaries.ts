import type { Transaction } from 'kysely';
import { applicationState, type InstanceState } from '../domain/states.js';
import type { ApplicationSummary } from '../domain/views.js';
import { present } from './columns.js';
import type { Chunk } from './keyset.js';
import type { Schema } from './schema.js';
import type { Scope } from './store.js';

/** A tenant sees its own applications and every multitenant one. */
export async function summaries(
  db: Transaction<Schema>,
  { tenant }: Scope,
  name: string | undefined,
  { after, offset, limit }: Chunk,
): Promise<ApplicationSummary[]> {
  let query = db.selectFrom('applications').select(['appId', 'name', 'description', 'tenant']);
  if (tenant !== undefined) {
    query = query.where((row) => row.or([row('tenant', '=', tenant), row('multitenant', '=', 1)]));
  }
  if (name !== undefined) query = query.where('name', '=', name);
  if (after !== undefined) query = query.where('appId', '>', after);
  const rows = await query.orderBy('appId').limit(limit).offset(offset).execute();
  if (rows.length === 0) return [];
  const states = await statesOf(
    db,
    rows.map((row) => row.appId),
  );
  return rows.map((row) => ({ ...present(row), state: states.get(row.appId) ?? 'CREATED' }));
}

/** Over the deployed instances of each application's newest deployed version. */
async function statesOf(db: Transaction<Schema>, appIds: number[]): Promise<Map<number, InstanceState>> {
  const deployed = await db
    .selectFrom('instances')
    .select(['appId', 'versionId', 'state'])
    .where('appId', 'in', appIds)
    .where('envId', 'is not', null)
    .orderBy('versionId')
    .execute();
  const newest = new Map(deployed.map(({ appId, versionId }) => [appId, versionId]));
  const states = new Map<number, InstanceState[]>();
  for (const { appId, versionId, state } of deployed) {
    if (newest.get(appId) === versionId) states.set(appId, [...(states.get(appId) ?? []), state]);
  }
  return new Map([...states].map(([appId, those]) => [appId, applicationState(those)]));
}
