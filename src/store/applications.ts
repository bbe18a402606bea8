import type { Transaction } from 'kysely';
import type { Application } from '../domain/model.js';
import { toApplication, toDeployable } from './application-rows.js';
import { summaries } from './application-summaries.js';
import { timestamp, toFlag } from './columns.js';
import { next } from './counters.js';
import { deployed, deployedOn, updateInstance } from './instances.js';
import { chunks } from './keyset.js';
import type { Run } from './run.js';
import type { Schema } from './schema.js';
import type { ApplicationStore, NewApplication } from './store.js';
import { addInstance, addVersion, setArtefact } from './versions.js';

export function applicationStore(run: Run): ApplicationStore {
  return {
    create: (application) => run.write((db) => create(db, application)),
    get: (appId) => run.read((db) => find(db, appId)),
    list: (scope, paging) =>
      chunks(
        (chunk) => run.read((db) => summaries(db, scope, paging?.name, chunk)),
        (summary) => summary.appId,
        paging,
      ),
    update: (appId, { multitenant, ...changes }) =>
      run.write(async (db) => {
        const values = { ...changes, ...(multitenant !== undefined && { multitenant: toFlag(multitenant) }) };
        if (Object.keys(values).length === 0) return;
        await db.updateTable('applications').set(values).where('appId', '=', appId).execute();
      }),
    delete: (appId) =>
      run.write(async (db) => {
        await db.deleteFrom('applications').where('appId', '=', appId).execute();
      }),
    addVersion: (appId, version) => run.write((db) => addVersion(db, appId, version)),
    deleteVersion: (appId, versionId) =>
      run.write(async (db) => {
        await db.deleteFrom('versions').where('appId', '=', appId).where('versionId', '=', versionId).execute();
      }),
    addInstance: (appId, versionId, instance) => run.write((db) => addInstance(db, appId, versionId, instance)),
    deleteInstance: ({ appId, versionId, instanceId }) =>
      run.write(async (db) => {
        await db
          .deleteFrom('instances')
          .where((row) => row.and({ appId, versionId, instanceId }))
          .execute();
      }),
    setArtefact: (appId, versionId, artefact) =>
      run.write((db) => setArtefact(db, run.lock, appId, versionId, artefact)),
    updateInstance: (key, changes) => run.write((db) => updateInstance(db, key, changes)),
    deployed: (filter) => run.read((db) => deployed(db, filter)),
    deployedOn: (platform) => deployedOn(run, platform),
    artefactNamed: (tenant, name) =>
      run.read(async (db) => {
        const row = await db
          .selectFrom('deployables')
          .innerJoin('applications', 'applications.appId', 'deployables.appId')
          .selectAll('deployables')
          .where('applications.tenant', '=', tenant)
          .where('artefactName', '=', name)
          .orderBy('deployables.appId', 'desc')
          .orderBy('versionId', 'desc')
          .limit(1)
          .executeTakeFirst();
        return row && toDeployable(row).artefact;
      }),
    artefactsInUse: () =>
      run.read(async (db) => {
        const rows = await db
          .selectFrom('deployables')
          .select('sha256')
          .distinct()
          .where('sha256', 'is not', null)
          .$narrowType<{ sha256: string }>()
          .execute();
        return new Set(rows.map((row) => row.sha256));
      }),
  };
}

async function create(db: Transaction<Schema>, application: NewApplication): Promise<Application> {
  const { name, description, environmentName, tenant, multitenant, createdBy, versions } = application;
  const made = {
    appId: await next(db, 'application'),
    name,
    ...(description !== undefined && { description }),
    ...(environmentName !== undefined && { environmentName }),
    tenant,
    createdBy,
    createdAt: timestamp(),
  };
  await db
    .insertInto('applications')
    .values({ ...made, multitenant: toFlag(multitenant), lastVersion: 0 })
    .execute();
  const added = [];
  for (const version of versions) added.push(await addVersion(db, made.appId, version));
  return { ...made, multitenant, versions: added };
}

async function find(db: Transaction<Schema>, appId: number): Promise<Application | undefined> {
  const application = await db.selectFrom('applications').selectAll().where('appId', '=', appId).executeTakeFirst();
  if (!application) return undefined;
  const versions = await db
    .selectFrom('versions')
    .selectAll()
    .where('appId', '=', appId)
    .orderBy('versionId')
    .execute();
  const deployables = await db
    .selectFrom('deployables')
    .selectAll()
    .where('appId', '=', appId)
    .orderBy('versionId')
    .orderBy('position')
    .execute();
  const instances = await db
    .selectFrom('instances')
    .selectAll()
    .where('appId', '=', appId)
    .orderBy('versionId')
    .orderBy('instanceId')
    .execute();
  return toApplication({ application, versions, deployables, instances });
}
