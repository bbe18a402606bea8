import { AdapterError } from '../adapter.js';
import { orAbort } from '../upstream.js';
import type { CloudController } from './client.js';
import { read } from './resources.js';
import type { Settings } from './settings.js';

/** Where everything is made. */
export interface Target {
  orgGuid: string;
  spaceGuid: string;
  domain: { guid: string; name: string };
}

const LASTS = 10 * 60_000;

/**
 * Organisation, space and domain, looked up by name once in a while: an administrator may make them anew. One look-up serves all who
 * ask at the same time; a caller's abort ends it for nobody else.
 */
export function createTargets(cc: CloudController, settings: Settings): (signal: AbortSignal) => Promise<Target> {
  let known: { target: Promise<Target>; until: number } | undefined;
  return (signal) => {
    if (!known || Date.now() > known.until) {
      const limit = AbortSignal.timeout(settings.requestTimeout + settings.patience);
      const target = lookUp(cc, settings, limit);
      const entry = { target, until: Date.now() + LASTS };
      known = entry;
      target.catch(() => {
        if (known === entry) known = undefined;
      });
    }
    return orAbort(known.target, signal);
  };
}

async function lookUp(cc: CloudController, settings: Settings, signal: AbortSignal): Promise<Target> {
  const org = await findOrganization(cc, settings.org, signal);
  if (!org) throw new AdapterError('rejected', noOrganization(settings));
  const space = await findSpace(cc, settings.space, org.guid, signal);
  if (!space) throw new AdapterError('rejected', noSpace(settings));
  const domain = await findDomain(cc, settings, org.guid, signal);
  if (!domain) throw new AdapterError('rejected', noDomain(settings));
  return { orgGuid: org.guid, spaceGuid: space.guid, domain };
}

export async function findOrganization(cc: CloudController, name: string, signal: AbortSignal) {
  return (await cc.first('/v3/organizations', read.organization, signal, { names: name }))[0];
}

export async function findSpace(cc: CloudController, name: string, orgGuid: string, signal: AbortSignal) {
  // A space's name is unique in its organisation only.
  return (await cc.first('/v3/spaces', read.named, signal, { names: name, organization_guids: orgGuid }))[0];
}

/** Among the domains that the organisation may use. */
export async function findDomain(cc: CloudController, settings: Settings, orgGuid: string, signal: AbortSignal) {
  const path = `/v3/organizations/${orgGuid}/domains`;
  if (settings.domain === undefined) return cc.get(`${path}/default`, read.named, signal);
  return (await cc.first(path, read.named, signal, { names: settings.domain }))[0];
}

export function noOrganization({ org }: Settings): string {
  return `There is no organisation "${org}" that this user may see: create it, or give the user a role in it.`;
}

export function noSpace({ org, space }: Settings): string {
  return `There is no space "${space}" in "${org}" that this user may see: create it, or give the user the role SpaceDeveloper in it.`;
}

export function noDomain({ org, domain }: Settings): string {
  return domain === undefined
    ? `The organisation "${org}" has no default domain: set the option "domain".`
    : `The organisation "${org}" may not use a domain "${domain}": create it, share it, or change the option "domain".`;
}
