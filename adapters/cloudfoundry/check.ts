import type { CheckResult } from '../adapter.js';
import { explained, type Foundry } from './client.js';
import { offeringsOf } from './marketplace.js';
import { installedBuildpacks, offeredContainers } from './runtimes.js';
import { findDomain, findOrganization, findSpace, noDomain, noOrganization, noSpace } from './target.js';

/** `coaps platform check`: from the address to the marketplace, as far as one thing lets the next be looked at. */
export async function check(foundry: Foundry, signal: AbortSignal): Promise<CheckResult[]> {
  const { cc, settings } = foundry;
  const results: CheckResult[] = [];
  const look = async <T>(
    subject: string,
    work: () => Promise<{ found?: T | undefined; text: string }>,
  ): Promise<T | undefined> => {
    try {
      const { found, text } = await explained('It could not be looked at', signal, work);
      results.push({ ok: found !== undefined, subject, text });
      return found;
    } catch (error) {
      signal.throwIfAborted();
      results.push({ ok: false, subject, text: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  };

  const version = await look(`Cloud Controller ${settings.apiUrl}`, async () => {
    const found = await foundry.apiVersion(signal);
    return { found, text: `answers, API ${found}` };
  });
  if (version === undefined) return results;

  const org = await look(`log-in and organisation "${settings.org}"`, async () => {
    const found = await findOrganization(cc, settings.org, signal);
    if (found?.suspended) return { text: 'is suspended: an administrator must lift that' };
    return { found, text: found ? 'logged in, found' : noOrganization(settings) };
  });
  if (!org) return results;

  const space = await look(`space "${settings.space}"`, async () => {
    const found = await findSpace(cc, settings.space, org.guid, signal);
    return { found, text: found ? 'found' : noSpace(settings) };
  });
  await look(settings.domain === undefined ? 'default domain' : `domain "${settings.domain}"`, async () => {
    const found = await findDomain(cc, settings, org.guid, signal);
    return { found, text: found ? `found: ${found.name}` : noDomain(settings) };
  });
  await look('buildpacks', async () => {
    const found = await installedBuildpacks(foundry, signal);
    const containers = offeredContainers(found, settings).map(({ name }) => name);
    if (containers.length === 0)
      return { text: 'none is installed that runs a known container: install some, or set the option "buildpacks"' };
    return { found: true, text: `run ${containers.join(', ')}` };
  });
  for (const [word, names] of Object.entries(settings.buildpacks)) {
    await look(`buildpack for ${word}`, async () => {
      const installed = (await installedBuildpacks(foundry, signal)).map(({ name }) => name);
      const missing = names.filter((name) => !name.includes('://') && !installed.includes(name));
      if (missing.length > 0)
        return {
          text: `${missing.join(', ')} is not installed; there is: ${[...new Set(installed)].join(', ') || 'none'}`,
        };
      return { found: true, text: `${names.join(', ')} is installed` };
    });
  }
  if (space) await checkServices(foundry, look, signal);
  await look('log cache', async () => {
    const found = await foundry.logCache(signal);
    return { found, text: found ? 'found' : 'the platform has none: no logs, and no log lines in errors' };
  });
  return results;
}

type Look = <T>(
  subject: string,
  work: () => Promise<{ found?: T | undefined; text: string }>,
) => Promise<T | undefined>;

async function checkServices(foundry: Foundry, look: Look, signal: AbortSignal): Promise<void> {
  const offerings = await look('marketplace', async () => {
    const found = await offeringsOf(foundry, signal);
    const names = found.map(({ name }) => name).join(', ');
    return {
      found,
      text: names ? `offers ${names}` : 'offers nothing to this space: environments with databases will be refused',
    };
  });
  for (const [word, choice] of Object.entries(foundry.settings.services)) {
    if (choice === 'none') continue;
    await look(`service for ${word}`, async () => {
      const found = offerings?.find(({ name }) => name === choice.offering);
      return {
        found,
        text: found
          ? `the offering ${choice.offering} is there`
          : `the offering ${choice.offering} is not visible to this space`,
      };
    });
  }
}
