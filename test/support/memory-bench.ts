import { MemoryPlatform, type Trouble } from '../../adapters/memory/client.js';
import { MemoryAdapter } from '../../adapters/memory/index.js';
import type { AdapterBench, Mend } from '../contract/adapter-stage.js';

/** One simulated platform with many adapters on it, which outlives each of them. */
export async function openMemoryBench(
  make = (platform: MemoryPlatform, installation: string) => new MemoryAdapter(platform, installation),
): Promise<AdapterBench> {
  const platform = new MemoryPlatform();
  const everything = async () => {
    const { signal } = new AbortController();
    const objects = [...(await platform.spaces(signal)), ...(await platform.deployments(signal))];
    return objects.map((one) => `${one.id} of ${one.installation}`);
  };
  const set = (trouble: Trouble) => (): Mend => {
    Object.assign(platform.trouble, trouble);
    return () => {
      for (const name of Object.keys(trouble)) delete platform.trouble[name as keyof Trouble];
    };
  };
  return {
    open: async (installation) => Object.assign(make(platform, installation), { close: async () => {} }),
    objects: everything,
    serves: true,
    trouble: {
      down: set({ down: true }),
      locked: set({ locked: true }),
      throttled: set({ tooMany: 3 }),
      slow: set({ delay: 60_000 }),
      stagingFails: set({ application: 'staging' }),
      crashes: set({ application: 'crash' }),
    },
    close: () => platform.close(),
  };
}
