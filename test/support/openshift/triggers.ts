import type { Cluster } from './cluster.js';
import { noteUpdate } from './fields.js';
import { at, clone, type Json, type Obj } from './objects.js';
import { REGISTRY, tagOf } from './registry.js';
import { need } from './resources.js';
import type { World } from './world.js';

const ANNOTATION = 'image.openshift.io/triggers';
const MANAGER = 'openshift-controller-manager';

/** The controller that writes the newest image of a stream tag into Deployments that ask for it, and owns the field from then on. */
export function controlTriggers(world: World): void {
  const { cluster } = world;
  world.control(() => {
    for (const deployment of cluster.list('deployments')) {
      const text = deployment.metadata.annotations?.[ANNOTATION];
      if (text !== undefined) pull(cluster, deployment, JSON.parse(text) as Trigger[]);
    }
  });
}

interface Trigger {
  from: { name: string };
  fieldPath: string;
}

function pull(cluster: Cluster, deployment: Obj, triggers: readonly Trigger[]): void {
  const { namespace = '' } = deployment.metadata;
  const next = clone(deployment);
  for (const { from, fieldPath } of triggers) {
    const [stream = '', tag = ''] = from.name.split(':');
    const digest = tagOf(cluster.read('imagestreams', namespace, stream), tag);
    const name = /@\.name=="([^"]+)"/.exec(fieldPath)?.[1];
    const containers = (at(next, 'spec', 'template', 'spec', 'containers') ?? []) as Json[];
    const container = containers.find((one) => one['name'] === name);
    if (digest && container) container['image'] = `${REGISTRY}/${namespace}/${stream}@${digest}`;
  }
  const deployments = need('deployments');
  noteUpdate(deployment, next, deployments.type, MANAGER);
  cluster.replace(deployments, next);
}

/** An image that names a stream of the project with local look-up stands for its newest digest. */
export function resolveLocal(cluster: Cluster, object: Obj): void {
  const { namespace = '' } = object.metadata;
  for (const container of (at(object, 'spec', 'template', 'spec', 'containers') ?? []) as Json[]) {
    const [stream = '', tag = 'latest'] = String(container['image'] ?? '').split(':');
    if (stream === '' || stream.includes('/')) continue;
    const found = cluster.read('imagestreams', namespace, stream);
    const digest = at(found, 'spec', 'lookupPolicy', 'local') === true ? tagOf(found, tag) : undefined;
    if (digest) container['image'] = `${REGISTRY}/${namespace}/${stream}@${digest}`;
  }
}
