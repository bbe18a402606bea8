import { Fault } from '../domain/errors.js';
import type { Application, Artefact, Instance, Version } from '../domain/model.js';
import type { StoreSession } from '../store/store.js';
import { instanceOf } from './access.js';
import { named } from './artefact-choice.js';
import type { Place } from './deployments.js';
import { artefactOf, deployedInstances } from './specs.js';
import { copiedInstances, newInstance } from './version-descriptor.js';

/**
 * The instances that a deploy means. Addressed: that one. Otherwise all of the version that are there already, or can go there: an
 * instance whose number another version has deployed elsewhere is left for that place's own upgrade.
 */
export function chooseInstances(application: Application, version: Version, { envId, instanceId }: Place): Instance[] {
  if (instanceId !== undefined) {
    if (isFirst(version, instanceId)) return [];
    return [instanceOf(application, version.versionId, instanceId)];
  }
  const deployed = deployedInstances(application);
  const here = numbers(deployed.filter((one) => one.envId === envId));
  const elsewhere = numbers(deployed.filter((one) => one.envId !== envId));
  return version.instances.filter((one) => {
    if (one.envId !== undefined) return one.envId === envId;
    return here.has(one.instanceId) || !elsewhere.has(one.instanceId);
  });
}

function numbers(instances: readonly Instance[]): Set<number> {
  return new Set(instances.map((one) => one.instanceId));
}

/** Clients of the first generation write instance 1 and create none. */
function isFirst({ instances }: Version, instanceId: number | undefined): boolean {
  return instances.length === 0 && instanceId === 1;
}

/** The numbers of the chosen instances; where there is none, one is added. */
export async function ensureInstances(
  session: StoreSession,
  application: Application,
  version: Version,
  place: Place,
): Promise<number[]> {
  const { versionId } = version;
  const chosen = chooseInstances(application, version, place);
  if (chosen.length > 0) return chosen.map((one) => one.instanceId);
  const added = await session.applications.addInstance(
    application.appId,
    versionId,
    newInstance({}, version.instances.length + 1),
  );
  if (place.instanceId === undefined || place.instanceId === added.instanceId) return [added.instanceId];
  throw new Fault('NotFound', `There is no instance ${place.instanceId} of version ${versionId} of this application.`);
}

/**
 * The version that runs the artefact: the wanted one, when it has none or has the same bytes; otherwise a new version with copied
 * instances, so that what is deployed keeps the artefact that it was made of.
 */
export async function placeArtefact(
  { applications }: StoreSession,
  { appId }: Application,
  version: Version | undefined,
  artefact: Artefact,
): Promise<Version> {
  if (!version) {
    const deployables = [{ name: artefact.name, contentType: 'artifact' as const, artefact }];
    return applications.addVersion(appId, { deployables, instances: [newInstance({}, 1)] });
  }
  const first = version.deployables.find((one) => one.contentType === 'artifact');
  const current = artefactOf(version);
  if (current?.sha256 === artefact.sha256) return version;
  if (!current) {
    await applications.setArtefact(appId, version.versionId, named(artefact, first));
    return version;
  }
  const deployables = version.deployables.map(({ location, ...deployable }) => {
    if (deployable.artefact) return { ...deployable, artefact: named(artefact, deployable) };
    return { ...deployable, ...(location === undefined ? {} : { location }) };
  });
  return applications.addVersion(appId, { deployables, instances: copiedInstances(version) });
}
