import { LABELS } from '../../adapters/cloudfoundry/names.js';
import { keyOf as serviceKey, versionIn } from '../../adapters/conpaas/names.js';
import { ANNOTATION, keyOf as deploymentKey, environmentOf } from '../../adapters/openshift/names.js';
import type { Store } from '../../src/store/store.js';
import type { Scene } from './scene.js';

/** What a platform holds, as `app.environment.instance`. */
export type Inventory = Map<string, { state: 'STARTED' | 'STOPPED'; versionId: number; processes: number }>;

export interface Holdings {
  deployments: Inventory;
  /** Numbers of the environments for which something is there; undefined where an environment is nothing of its own. */
  environments: number[] | undefined;
}

/** Cloud Foundry's own books, past its API. */
export function onCloudFoundry({ cloudFoundry: { fake } }: Pick<Scene, 'cloudFoundry'>): Holdings {
  const { apps, processes } = fake.world;
  const deployments: Inventory = new Map();
  for (const app of apps) {
    const [, key = ''] = /^coaps-[a-z0-9]+-(\d+-\d+-\d+)$/.exec(app.name) ?? [];
    const web = processes.find((one) => one.app === app && one.type === 'web');
    deployments.set(key.replaceAll('-', '.') || app.name, {
      state: app.state,
      versionId: Number(app.labels[LABELS.version]),
      processes: web?.instances ?? 0,
    });
  }
  return { deployments, environments: undefined };
}

export function onOpenShift({ openShift: { fake } }: Pick<Scene, 'openShift'>, installation: string): Holdings {
  const { cluster } = fake.world;
  const deployments: Inventory = new Map();
  for (const { metadata, spec = {} } of cluster.list('deployments')) {
    const { appId, envId, instanceId } = deploymentKey(metadata) ?? {};
    const replicas = Number(spec['replicas'] ?? 0);
    const annotations = metadata.annotations ?? {};
    deployments.set(`${appId}.${envId}.${instanceId}`, {
      state: replicas > 0 ? 'STARTED' : 'STOPPED',
      versionId: (JSON.parse(annotations[ANNOTATION.release] ?? '{}') as { versionId?: number }).versionId ?? 0,
      processes: replicas > 0 ? replicas : Number(annotations[ANNOTATION.processes] ?? 1),
    });
  }
  const environments = cluster
    .list('namespaces')
    .flatMap(({ metadata }) => environmentOf('coaps', installation, metadata.name) ?? []);
  return { deployments, environments };
}

/** What Director and managers have stored, while no gateway runs. */
export async function onConpaas({ conpaas, installation, users }: Store): Promise<Holdings> {
  const deployments: Inventory = new Map();
  for (const { sid, name, state, current } of await conpaas.services({})) {
    const { appId, envId, instanceId } = serviceKey(name, installation) ?? {};
    const code = (await conpaas.codeVersions(sid)).find((one) => one.codeVersionId === current.codeVersionId);
    deployments.set(appId === undefined ? `service ${name}` : `${appId}.${envId}.${instanceId}`, {
      state: state === 'RUNNING' ? 'STARTED' : 'STOPPED',
      versionId: versionIn(code?.description ?? '') ?? 0,
      // The first node carries a process unless others do.
      processes: current.counts.backend || 1,
    });
  }
  const own = await users.get('coaps-gateway');
  const environments = (await conpaas.applications(own?.uid ?? 0)).flatMap(({ name }) => {
    const found = new RegExp(`^coaps-${installation}-e(\\d+)$`).exec(name);
    return found ? [Number(found[1])] : [];
  });
  return { deployments, environments };
}
