import type { Selectable } from 'kysely';
import type { Application, Artefact, Deployable, Instance, Version } from '../domain/model.js';
import { fromJson, present, toFlag, toJson } from './columns.js';
import type { ApplicationsTable, DeployablesTable, InstancesTable, VersionsTable } from './schema.js';
import type { InstanceChanges, InstanceKey, NewInstance } from './store.js';

type DeployableRow = Selectable<DeployablesTable>;
type InstanceRow = Selectable<InstancesTable>;

/** The rows of one application, each kind in order. */
export interface ApplicationRows {
  application: Selectable<ApplicationsTable>;
  versions: Selectable<VersionsTable>[];
  deployables: DeployableRow[];
  instances: InstanceRow[];
}

export function toApplication({ application, versions, deployables, instances }: ApplicationRows): Application {
  const { lastVersion: _, multitenant, ...rest } = application;
  return {
    ...present(rest),
    multitenant: multitenant === 1,
    versions: versions.map(({ lastInstance: _, ...version }): Version => {
      const mine = (row: { versionId: number }) => row.versionId === version.versionId;
      return {
        ...present(version),
        deployables: deployables.filter(mine).map(toDeployable),
        instances: instances.filter(mine).map(toInstance),
      };
    }),
  };
}

export function toDeployable(row: DeployableRow): Deployable {
  const { name, contentType, location, multitenancyLevel, artefactName, artefactType, artefactSize, sha256 } = row;
  const artefact =
    artefactName !== null && artefactType !== null && artefactSize !== null && sha256 !== null
      ? { name: artefactName, type: artefactType, size: artefactSize, sha256 }
      : null;
  return present({ name, contentType, location, multitenancyLevel, artefact });
}

export function newDeployableRow(
  key: Pick<DeployableRow, 'appId' | 'versionId' | 'position'>,
  deployable: Deployable,
): DeployableRow {
  return {
    ...key,
    name: deployable.name,
    contentType: deployable.contentType,
    location: deployable.location ?? null,
    multitenancyLevel: deployable.multitenancyLevel ?? null,
    ...artefactColumns(deployable.artefact),
  };
}

export function artefactColumns(artefact: Artefact | undefined) {
  return {
    artefactName: artefact?.name ?? null,
    artefactType: artefact?.type ?? null,
    artefactSize: artefact?.size ?? null,
    sha256: artefact?.sha256 ?? null,
  };
}

export function toInstance({ defaultInstance, remarks, ...row }: InstanceRow): Instance {
  return {
    ...present(row),
    ...(defaultInstance !== null && { defaultInstance: defaultInstance === 1 }),
    remarks: fromJson(remarks),
  };
}

export function newInstanceRow(key: InstanceKey, instance: NewInstance): InstanceRow {
  return {
    ...key,
    name: instance.name,
    description: instance.description ?? null,
    initialState: instance.initialState ?? null,
    defaultInstance: instance.defaultInstance === undefined ? null : toFlag(instance.defaultInstance),
    state: 'CREATED',
    reason: null,
    remarks: toJson([]),
    processes: instance.processes,
    memory: instance.memory ?? null,
    disk: instance.disk ?? null,
    envId: null,
    uri: null,
    ref: null,
    observedAt: null,
  };
}

export function instanceChangesRow({ remarks, ...changes }: InstanceChanges): Partial<InstanceRow> {
  return { ...changes, ...(remarks && { remarks: toJson(remarks) }) };
}
