import type { Transaction } from 'kysely';
import { Fault } from '../domain/errors.js';
import type { Artefact, Instance, Version } from '../domain/model.js';
import { artefactColumns, newDeployableRow, newInstanceRow, toInstance } from './application-rows.js';
import { timestamp } from './columns.js';
import type { Run } from './run.js';
import type { Schema } from './schema.js';
import type { InstanceKey, NewInstance, NewVersion } from './store.js';

/** Counting up in the parent's row keeps two requests from getting one number, and deleted numbers from coming back. */
export async function addVersion(db: Transaction<Schema>, appId: number, version: NewVersion): Promise<Version> {
  const parent = await db
    .updateTable('applications')
    .set((row) => ({ lastVersion: row('lastVersion', '+', 1) }))
    .where('appId', '=', appId)
    .returning('lastVersion')
    .executeTakeFirst();
  if (!parent) throw new Fault('NotFound', `There is no application ${appId}.`);
  const { name, label, description, deployables, instances } = version;
  const made = {
    appId,
    versionId: parent.lastVersion,
    ...(name !== undefined && { name }),
    ...(label !== undefined && { label }),
    ...(description !== undefined && { description }),
    createdAt: timestamp(),
  };
  await db
    .insertInto('versions')
    .values({ ...made, lastInstance: 0 })
    .execute();
  for (const [index, deployable] of deployables.entries()) {
    const key = { appId, versionId: made.versionId, position: index + 1 };
    await db.insertInto('deployables').values(newDeployableRow(key, deployable)).execute();
  }
  const added = [];
  for (const instance of instances) added.push(await addInstance(db, appId, made.versionId, instance));
  return { ...made, deployables, instances: added };
}

export async function addInstance(
  db: Transaction<Schema>,
  appId: number,
  versionId: number,
  instance: NewInstance,
): Promise<Instance> {
  const parent = await db
    .updateTable('versions')
    .set((row) => ({ lastInstance: row('lastInstance', '+', 1) }))
    .where('appId', '=', appId)
    .where('versionId', '=', versionId)
    .returning('lastInstance')
    .executeTakeFirst();
  if (!parent) throw noVersion(appId, versionId);
  const instanceId = instance.instanceId ?? parent.lastInstance;
  if (instance.instanceId !== undefined) await useNumber(db, { appId, versionId, instanceId }, parent.lastInstance - 1);
  const row = newInstanceRow({ appId, versionId, instanceId }, instance);
  await db.insertInto('instances').values(row).execute();
  return toInstance(row);
}

/** A number above the last one, chosen by the caller; the next one is counted from there. */
async function useNumber(
  db: Transaction<Schema>,
  { appId, versionId, instanceId }: InstanceKey,
  last: number,
): Promise<void> {
  if (instanceId <= last) {
    throw new Fault('Conflict', `The number ${instanceId} was given to an instance of version ${versionId} already.`);
  }
  await db
    .updateTable('versions')
    .set({ lastInstance: instanceId })
    .where((row) => row.and({ appId, versionId }))
    .execute();
}

export async function setArtefact(
  db: Transaction<Schema>,
  lock: Run['lock'],
  appId: number,
  versionId: number,
  artefact: Artefact,
): Promise<void> {
  // The lock keeps two uploads at once from adding a deployable each.
  const version = await db
    .selectFrom('versions')
    .select('versionId')
    .where((row) => row.and({ appId, versionId }))
    .modifyEnd(lock)
    .executeTakeFirst();
  if (!version) throw noVersion(appId, versionId);
  const present = await db
    .selectFrom('deployables')
    .select(['position', 'contentType'])
    .where((row) => row.and({ appId, versionId }))
    .orderBy('position')
    .execute();
  const first = present.find((row) => row.contentType === 'artifact');
  if (first) {
    await db
      .updateTable('deployables')
      .set(artefactColumns(artefact))
      .where((row) => row.and({ appId, versionId, position: first.position }))
      .execute();
    return;
  }
  const key = { appId, versionId, position: (present.at(-1)?.position ?? 0) + 1 };
  const added = newDeployableRow(key, { name: artefact.name, contentType: 'artifact', artefact });
  await db.insertInto('deployables').values(added).execute();
}

function noVersion(appId: number, versionId: number): Fault {
  return new Fault('NotFound', `There is no version ${versionId} of application ${appId}.`);
}
