import type { InstanceDescriptor, VersionDescriptor } from '../domain/manifest.js';
import type { Deployable, Version } from '../domain/model.js';
import type { NewInstance, NewVersion, StoreSession } from '../store/store.js';
import { locationRemark, storedArtefact } from './artefact-choice.js';
import type { Artefacts } from './artefacts.js';

/** A described version as it is stored; a location that is the bare name of an artefact of this tenant's is that artefact. */
export async function newVersion(
  session: Pick<StoreSession, 'applications'>,
  artefacts: Artefacts,
  tenant: string,
  { name, label, description, deployables, instances }: VersionDescriptor,
): Promise<NewVersion> {
  const kept: Deployable[] = [];
  for (const deployable of deployables) {
    const artefact = await storedArtefact(session, artefacts, tenant, deployable);
    kept.push({ ...deployable, ...(artefact ? { artefact } : {}) });
  }
  return {
    deployables: kept,
    instances: instances.map((instance, index) => newInstance(instance, index + 1)),
    ...(name === undefined ? {} : { name }),
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
  };
}

export function newInstance({ name, ...descriptor }: InstanceDescriptor, number: number): NewInstance {
  return { ...descriptor, name: name || `Instance${number}`, processes: 1 };
}

/** Copies for a version that takes the place of another: the numbers stay, because they say what replaces what. */
export function copiedInstances({ instances }: Version): NewInstance[] {
  return instances.map((instance): NewInstance => {
    const { instanceId, name, processes, description, initialState, defaultInstance, memory, disk } = instance;
    return {
      ...{ instanceId, name, processes },
      ...(description === undefined ? {} : { description }),
      ...(initialState === undefined ? {} : { initialState }),
      ...(defaultInstance === undefined ? {} : { defaultInstance }),
      ...(memory === undefined ? {} : { memory }),
      ...(disk === undefined ? {} : { disk }),
    };
  });
}

/** Tells of each new instance what its version's location is worth. */
export async function remarkLocations(session: StoreSession, version: Version): Promise<void> {
  const remark = locationRemark(version);
  if (remark === undefined) return;
  for (const instance of version.instances) await session.applications.updateInstance(instance, { remarks: [remark] });
}
