import type { PlatformAdapter } from '../../adapters/adapter.js';
import { Fault } from '../domain/errors.js';
import type { Artefact, Deployable, Version } from '../domain/model.js';
import type { StoreSession } from '../store/store.js';
import type { Artefacts } from './artefacts.js';
import { artefactOf, runnable } from './specs.js';

/** What a deployable's location is (api.md §3). A path is of another machine: it is never opened. */
export function locationKind(location: string | undefined): 'none' | 'url' | 'name' | 'path' {
  if (!location) return 'none';
  if (/^https?:\/\//i.test(location)) return 'url';
  return /[/\\:]/.test(location) ? 'path' : 'name';
}

/** What is to be fetched when the version is deployed and has no artefact. */
export function fetchable(version: Version): { url: string; name: string } | undefined {
  const deployable = runnable(version);
  if (!deployable?.location || locationKind(deployable.location) !== 'url') return undefined;
  return { url: deployable.location, name: deployable.name };
}

/** Said of an instance whose version's location helps nobody. */
export function locationRemark({ deployables }: Pick<Version, 'deployables'>): string | undefined {
  const strange = deployables.find((one) => !one.artefact && locationKind(one.location) === 'path');
  if (!strange) return undefined;
  return `The location of ${strange.name} is a path on another machine, which is not opened here; send the file with deploy.`;
}

export function missingArtefact(appId: number, versionId: number): Fault {
  return new Fault(
    'MissingParameter',
    `Version ${versionId} of application ${appId} has no artefact. Send it with deploy, as the part "file" of a multipart/form-data body.`,
  );
}

/** Before anything is made: what the platform cannot run at all. */
export function assertRunnable(artefact: Artefact, platform: string, { capabilities }: PlatformAdapter): void {
  if (capabilities.artefacts.includes(artefact.type)) return;
  throw new Fault(
    'NotSupported',
    `The platform ${platform} does not run ${artefact.type} archives; it runs ${capabilities.artefacts.join(', ')}.`,
  );
}

/** An upload without a file name takes the deployable's. */
export function named(artefact: Artefact, deployable: Pick<Deployable, 'name'> | undefined): Artefact {
  const isNameless = artefact.name === `artefact.${artefact.type}`;
  return isNameless && deployable?.name ? { ...artefact, name: deployable.name } : artefact;
}

/**
 * What an empty deploy runs, when the version has nothing yet: an artefact that the tenant has stored already, by its bare name, or a
 * file of the drop folder. Undefined: nothing there.
 */
export async function findArtefact(
  session: Pick<StoreSession, 'applications'>,
  artefacts: Artefacts,
  tenant: string,
  version: Pick<Version, 'deployables'>,
  signal: AbortSignal,
): Promise<Artefact | undefined> {
  const deployable = version.deployables.find((one) => one.contentType === 'artifact');
  if (!deployable) return undefined;
  const stored = await storedArtefact(session, artefacts, tenant, deployable);
  return stored ?? artefacts.importDropped(deployable.name, signal);
}

export async function storedArtefact(
  session: Pick<StoreSession, 'applications'>,
  artefacts: Artefacts,
  tenant: string,
  { location }: Deployable,
): Promise<Artefact | undefined> {
  if (location === undefined || locationKind(location) !== 'name') return undefined;
  const found = await session.applications.artefactNamed(tenant, location);
  return found && (await artefacts.hold(found)) ? found : undefined;
}

/** The artefact of a version, held against the sweep; a version whose bytes are gone counts as having none. */
export async function heldArtefact(artefacts: Artefacts, version: Version): Promise<Artefact | undefined> {
  const artefact = artefactOf(version);
  return artefact && (await artefacts.hold(artefact)) ? artefact : undefined;
}
