import type { AdapterContext } from '../../adapters/adapter.js';
import { cloudFoundryDefinition } from '../../adapters/cloudfoundry/definition.js';
import type { AdapterBench, AdapterTrouble, Mend } from '../contract/adapter-stage.js';
import { type FakeCloudFoundry, startCloudFoundry } from './cloudfoundry.js';

export const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What an adapter is given for this fake: the definition's defaults, and the options that lead here. */
export function contextFor(
  fake: FakeCloudFoundry,
  installation: string,
  changes: Record<string, unknown> = {},
): AdapterContext {
  const defaults = cloudFoundryDefinition.options.flatMap(({ name, default: value }) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    platform: 'CF',
    installation,
    options: { ...Object.fromEntries(defaults), ...fake.options(changes) },
    log: SILENT,
  };
}

export function openAdapter(fake: FakeCloudFoundry, installation: string, changes?: Record<string, unknown>) {
  return cloudFoundryDefinition.create(contextFor(fake, installation, changes));
}

/** The contract suite's platform: the fake, with its switches. */
export async function openCloudFoundryBench(): Promise<AdapterBench> {
  const fake = await startCloudFoundry();
  return {
    open: (installation) => openAdapter(fake, installation),
    objects: async () => fake.inventory(),
    serves: true,
    trouble: troubleOf(fake),
    close: () => fake.close(),
  };
}

function troubleOf({ trouble, uaa, world }: FakeCloudFoundry): AdapterTrouble {
  const clear = (): Mend => () => trouble.clear();
  return {
    down() {
      trouble.down = true;
      return () => {
        trouble.down = false;
      };
    },
    slow() {
      trouble.plan({ fault: { kind: 'slow', milliseconds: 60_000 }, on: /./, times: 1000 });
      return clear();
    },
    throttled() {
      trouble.plan({ fault: { kind: 'limited', seconds: 0.1 }, on: /./, times: 3 });
      return clear();
    },
    locked() {
      uaa.locked = true;
      uaa.expire({ all: true });
      return () => {
        uaa.locked = false;
      };
    },
    stagingFails() {
      world.cells.staging = 'BuildpackCompileFailed - App staging failed in the buildpack compile phase';
      return () => {
        delete world.cells.staging;
      };
    },
    crashes() {
      world.cells.instances = 'crash';
      return () => {
        delete world.cells.instances;
      };
    },
  };
}
