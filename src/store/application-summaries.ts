import type { Transaction } from 'kysely';
import { applicationState, type InstanceState } from '../domain/states.js';
import type { ApplicationSummary } from '../domain/views.js';
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
  const some = () => {
    const query = db.selectFrom('applications').select(['appId', 'name', 'description', 'tenant']);
    const named = name === undefined ? query : query.where('name', '=', name);
    return after === undefined ? named : named.where('appId', '>', after);
  };
  // An index leads to each of the two kinds, and none to both: read as one, all tenants' applications would be passed over.
  const first = (part: ReturnType<typeof some>) =>
    db
      .selectFrom(
        part
          .orderBy('appId')
          .limit(limit + offset)
          .as('part'),
      )
      .selectAll();
  const visible =
    tenant === undefined
      ? first(some())
      : first(some().where('tenant', '=', tenant)).unionAll(
          first(some().where('multitenant', '=', 1).where('tenant', '<>', tenant)),
        );
  const rows = await visible.orderBy('appId').limit(limit).offset(offset).execute();
  if (rows.length === 0) return [];
  const states = await statesOf(
    db,
    rows.map((row) => row.appId),
  );
  return rows.map(({ appId, name, tenant, description }) => {
    const state = states.get(appId) ?? 'CREATED';
    return description === null ? { appId, name, tenant, state } : { appId, name, tenant, state, description };
  });
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
