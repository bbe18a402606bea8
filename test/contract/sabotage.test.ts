import type { AdapterCall, DeploymentKey, DeploymentReport, DeploymentSpec } from '../../adapters/adapter.js';
import type { MemoryPlatform } from '../../adapters/memory/client.js';
import { MemoryAdapter } from '../../adapters/memory/index.js';
import { openMemoryBench } from '../support/memory-bench.js';
import { ADAPTER_CASES, type AdapterBench, runAdapterCase } from './adapter.js';

/** How an adapter breaks one sentence of the contract; `honest` keeps it. */
interface Overrides {
  deploy?(
    honest: MemoryAdapter,
    spec: DeploymentSpec,
    call: AdapterCall,
    platform: MemoryPlatform,
  ): Promise<DeploymentReport>;
  undeploy?(honest: MemoryAdapter, key: DeploymentKey, call: AdapterCall, platform: MemoryPlatform): Promise<void>;
  start?(honest: MemoryAdapter, key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport>;
  stop?(honest: MemoryAdapter, key: DeploymentKey, call: AdapterCall): Promise<DeploymentReport>;
  scale?(honest: MemoryAdapter, key: DeploymentKey, processes: number, call: AdapterCall): Promise<DeploymentReport>;
  observe?(honest: MemoryAdapter, call: AdapterCall, platform: MemoryPlatform): Promise<DeploymentReport[]>;
}

class SabotagedAdapter extends MemoryAdapter {
  readonly #honest: MemoryAdapter;

  constructor(
    readonly platform: MemoryPlatform,
    installation: string,
    readonly overrides: Overrides,
  ) {
    super(platform, installation);
    this.#honest = new MemoryAdapter(platform, installation);
  }

  override deploy(spec: DeploymentSpec, call: AdapterCall) {
    return this.overrides.deploy?.(this.#honest, spec, call, this.platform) ?? this.#honest.deploy(spec, call);
  }
  override undeploy(key: DeploymentKey, call: AdapterCall) {
    return this.overrides.undeploy?.(this.#honest, key, call, this.platform) ?? this.#honest.undeploy(key, call);
  }
  override start(key: DeploymentKey, call: AdapterCall) {
    return this.overrides.start?.(this.#honest, key, call) ?? this.#honest.start(key, call);
  }
  override stop(key: DeploymentKey, call: AdapterCall) {
    return this.overrides.stop?.(this.#honest, key, call) ?? this.#honest.stop(key, call);
  }
  override scale(key: DeploymentKey, processes: number, call: AdapterCall) {
    return this.overrides.scale?.(this.#honest, key, processes, call) ?? this.#honest.scale(key, processes, call);
  }
  override observe(call: AdapterCall) {
    return this.overrides.observe?.(this.#honest, call, this.platform) ?? this.#honest.observe(call);
  }
}

const SABOTAGES: Record<string, Overrides> = {
  'says that it started, and did not': {
    async start(honest, key, call) {
      const [report] = (await honest.observe(call)).filter((one) => one.key.instanceId === key.instanceId);
      return { ...(report as DeploymentReport), state: 'STARTED' };
    },
  },
  'makes a second deployment at each deploy': {
    async deploy(honest, spec, call) {
      await honest.deploy({ ...spec, key: { ...spec.key, instanceId: spec.key.instanceId + 100 } }, call);
      return honest.deploy(spec, call);
    },
  },
  'leaves the deployment when it is undeployed': { async undeploy() {} },
  'stops only, when it is undeployed': {
    async undeploy(honest, key, call) {
      await honest.stop(key, call);
    },
  },
  'leaves remains of a failed deploy': {
    async deploy(honest, spec, call, platform) {
      try {
        return await honest.deploy(spec, call);
      } catch (error) {
        const { signal } = new AbortController();
        if (!(await platform.find(spec.key, signal))) await platform.create(spec.key, signal);
        throw error;
      }
    },
  },
  'replaces by removing and making anew, so that the address changes': {
    async deploy(honest, spec, call) {
      const found = (await honest.observe(call)).find((one) => one.key.instanceId === spec.key.instanceId);
      if (found && found.versionId !== spec.versionId) await honest.undeploy(spec.key, call);
      return honest.deploy(spec, call);
    },
  },
  'forgets to start what it replaced': {
    async deploy(honest, spec, call) {
      await honest.deploy(spec, call);
      return honest.stop(spec.key, call);
    },
  },
  'observes one less than there are': {
    observe: async (honest, call) => (await honest.observe(call)).slice(1),
  },
  "observes strangers' deployments": {
    async observe(_honest, call, platform) {
      const all = await platform.deployments(call.signal);
      const installations = [...new Set(all.map((one) => one.installation))];
      return (await Promise.all(installations.map((id) => new MemoryAdapter(platform, id).observe(call)))).flat();
    },
  },
  "undeploys by the application's id alone, whosever it is": {
    async undeploy(honest, key, call, platform) {
      for (const one of await platform.deployments(call.signal)) {
        if (one.appId === key.appId) await platform.delete(one, call.signal);
      }
      await honest.undeploy(key, call);
    },
  },
  'does not hear an abort': {
    deploy: (honest, spec, call) => honest.deploy(spec, { ...call, signal: new AbortController().signal }),
  },
  'does not complain about unknown deployments': {
    async stop(honest, key, call) {
      return honest.stop(key, call).catch(() => ({ key, ref: 'none', state: 'STOPPED' as const, processes: 0 }));
    },
  },
  'scales only in words': {
    async scale(honest, key, processes, call) {
      const found = (await honest.observe(call)).find((one) => one.key.instanceId === key.instanceId);
      return { ...(found as DeploymentReport), processes };
    },
  },
};

describe('the suite of the adapter contract', () => {
  test.each(Object.entries(SABOTAGES))('fails on an adapter that %s', async (_name, sabotage) => {
    const failed = await failuresOf(
      await openMemoryBench((platform, id) => new SabotagedAdapter(platform, id, sabotage)),
    );
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(ADAPTER_CASES.length);
  });

  test('passes on the honest one', async () => {
    expect(await failuresOf(await openMemoryBench())).toEqual([]);
  });
});

/** The names of the cases that the bench fails. */
async function failuresOf(bench: AdapterBench): Promise<string[]> {
  const failed: string[] = [];
  try {
    for (const one of ADAPTER_CASES) {
      await runAdapterCase(one, bench).catch(() => failed.push(one.name));
    }
  } finally {
    await bench.close();
  }
  return failed;
}
