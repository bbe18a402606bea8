import { sql, type Transaction } from 'kysely';
import type { Instance } from '../domain/model.js';
import { instanceChangesRow, toInstance } from './application-rows.js';
import type { Run } from './run.js';
import type { Schema } from './schema.js';
import type { InstanceChanges, InstanceKey } from './store.js';

const CHUNK = 500;
/** A statement has at most some ten thousand parameters. */
const APPLICATIONS_AT_ONCE = 1000;

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
  { envId, appIds }: { envId?: number; appIds?: readonly number[] } = {},
): Promise<Instance[]> {
  let query = inOrder(db);
  if (envId !== undefined) query = query.where('instances.envId', '=', envId);
  if (appIds === undefined) return (await query.execute()).map(toInstance);
  const found: Instance[] = [];
  const sorted = [...appIds].sort((one, other) => one - other);
  for (let at = 0; at < sorted.length; at += APPLICATIONS_AT_ONCE) {
    const some = sorted.slice(at, at + APPLICATIONS_AT_ONCE);
    found.push(...(await query.where('instances.appId', 'in', some).execute()).map(toInstance));
  }
  return found;
}

/** Those of a platform's environments, in short reads: neither a look at a platform nor a transaction is as long as the table. */
export async function* deployedOn(run: Run, platform: string): AsyncGenerator<Instance> {
  let after: InstanceKey | undefined;
  for (;;) {
    const rows = await run.read((db) => {
      const query = inOrder(db)
        .innerJoin('environments', 'environments.envId', 'instances.envId')
        .where('environments.platform', '=', platform);
      return (after ? query.where(isAfter(after)) : query).limit(CHUNK).execute();
    });
    for (const row of rows) yield toInstance(row);
    after = rows.at(-1);
    if (rows.length < CHUNK) return;
  }
}

function inOrder(db: Transaction<Schema>) {
  return db
    .selectFrom('instances')
    .selectAll('instances')
    .where('instances.envId', 'is not', null)
    .orderBy('instances.appId')
    .orderBy('instances.versionId')
    .orderBy('instances.instanceId');
}

function isAfter({ appId, versionId, instanceId }: InstanceKey) {
  const column = (name: keyof InstanceKey) => sql.ref(`instances.${name}`);
  return sql<boolean>`(${column('appId')}, ${column('versionId')}, ${column('instanceId')}) > (${appId}, ${versionId}, ${instanceId})`;
}
