import type { Offer } from '../adapter.js';
import type { Foundry } from './client.js';
import { offeredServices, offeringsOf, otherOfferings } from './marketplace.js';
import { read } from './resources.js';
import { installedBuildpacks, offeredContainers } from './runtimes.js';

export async function offer(foundry: Foundry, signal: AbortSignal): Promise<Offer> {
  const { orgGuid } = await foundry.target(signal);
  const quotaQuery = { organization_guids: orgGuid };
  const [buildpacks, offerings, quotas] = await Promise.all([
    installedBuildpacks(foundry, signal),
    offeringsOf(foundry, signal),
    foundry.cc.first('/v3/organization_quotas', read.quota, signal, quotaQuery),
  ]);
  const { apps } = quotas[0] ?? {};
  const maximum = apps?.per_process_memory_in_mb ?? apps?.total_memory_in_mb;
  const names = [...new Set(buildpacks.map(({ name }) => name))];
  return {
    containers: offeredContainers(buildpacks, foundry.settings),
    databases: offeredServices(offerings, foundry),
    services: otherOfferings(offerings),
    memory: { minimum: 64, ...(maximum ? { maximum } : {}) },
    remarks: [
      `Buildpacks: ${names.join(', ') || 'none'}. Their versions are the platform's.`,
      ...(offerings.length === 0
        ? ['The marketplace of this space offers no services: databases cannot be made.']
        : []),
    ],
  };
}
