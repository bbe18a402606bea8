import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type {
  AdapterContext,
  AdapterLog,
  DeploymentSpec,
  EnvironmentSpec,
  PlatformAdapter,
} from '../../adapters/adapter.js';
import { cloudFoundryDefinition } from '../../adapters/cloudfoundry/definition.js';
import { type AdapterBench, type AdapterTrouble, artefactOf, type Mend } from '../contract/adapter-stage.js';
import type { WorldOptions } from './cloudfoundry/world.js';
import { type FakeCloudFoundry, startCloudFoundry } from './cloudfoundry.js';

const SILENT: AdapterLog = { debug() {}, info() {}, warn() {}, error() {} };

/** What an adapter is given for this fake: the definition's defaults, and the options that lead here. */
export function contextFor(fake: FakeCloudFoundry, changes: Record<string, unknown> = {}): AdapterContext {
  const defaults = cloudFoundryDefinition.options.flatMap(({ name, default: value }) =>
    value === undefined ? [] : [[name, value]],
  );
  const options = { ...Object.fromEntries(defaults), ...fake.options(changes) };
  return { platform: 'CF', installation: INSTALLATION, options, log: SILENT };
}

export function openAdapter(fake: FakeCloudFoundry, changes?: Record<string, unknown>): Promise<PlatformAdapter> {
  return cloudFoundryDefinition.create(contextFor(fake, changes));
}

export const INSTALLATION = 'tabcdefg';

/** A fake platform with an adapter on it. */
export interface Scenery {
  fake: FakeCloudFoundry;
  adapter: PlatformAdapter;
  /** Another adapter on the same platform: a gateway that was started again. */
  again(changes?: Record<string, unknown>): Promise<PlatformAdapter>;
  close(): Promise<void>;
}

export async function openScenery(world: WorldOptions = {}, changes: Record<string, unknown> = {}): Promise<Scenery> {
  const fake = await startCloudFoundry(world);
  const adapters: PlatformAdapter[] = [];
  const again = async (more: Record<string, unknown> = {}) => {
    const adapter = await openAdapter(fake, { ...changes, ...more });
    adapters.push(adapter);
    return adapter;
  };
  return {
    fake,
    adapter: await again(),
    again,
    async close() {
      for (const adapter of adapters) await adapter.close();
      await fake.close();
    },
  };
}

export function environmentOf(changes: Partial<EnvironmentSpec> = {}): EnvironmentSpec {
  return { installation: INSTALLATION, envId: 1, name: 'E', nodes: [], variables: {}, ...changes };
}

/** A deployment of a page that says `word`, as version `versionId`. */
export async function deploymentOf(
  word: string,
  changes: Partial<Omit<DeploymentSpec, 'key'>> & { appId?: number; instanceId?: number } = {},
): Promise<DeploymentSpec> {
  const { appId = 1, instanceId = 1, ...rest } = changes;
  const environment = rest.environment ?? environmentOf();
  const artefact = artefactOf('site.zip', 'zip', await siteOf(word));
  const key = { installation: environment.installation, appId, envId: environment.envId, instanceId };
  return { key, versionId: 1, applicationName: 'Shop', environment, artefact, processes: 1, ...rest };
}

/** The same bytes each time: an archive tells when its files were written. */
function siteOf(word: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(`<h1>${word}</h1>`), 'index.html', { mtime: new Date(0) });
  zip.end();
  return buffer(zip.outputStream as Readable);
}

/** The contract suite's platform: the fake, with its switches. */
export async function openCloudFoundryBench(): Promise<AdapterBench> {
  const fake = await startCloudFoundry();
  return {
    open: (installation) => cloudFoundryDefinition.create({ ...contextFor(fake), installation }),
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
