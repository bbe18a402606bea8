import type { Cluster } from './cluster.js';
import { now, type Obj } from './objects.js';
import { need, RESOURCES } from './resources.js';

export interface DeleteOptions {
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string };
}

/** What the object becomes: undefined when it is gone at once. */
export function deleteObject(cluster: Cluster, plural: string, object: Obj, options: DeleteOptions): Obj | undefined {
  const { namespace, name } = object.metadata;
  if (object.metadata.deletionTimestamp !== undefined) return cluster.read(plural, namespace, name);
  if (plural === 'pods') return endPod(cluster, object, options.gracePeriodSeconds);
  const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== 'kubernetes.io/pvc-protection');
  if (options.propagationPolicy === 'Foreground') finalizers.push('foregroundDeletion');
  if (options.propagationPolicy === 'Orphan') finalizers.push('orphan');
  if (finalizers.length > 0) {
    return cluster.update(plural, namespace, name, ({ metadata }) => {
      metadata.deletionTimestamp = now();
      metadata.deletionGracePeriodSeconds = 0;
      metadata.finalizers = finalizers;
      metadata.generation = (metadata.generation ?? 0) + 1;
    });
  }
  cluster.drop(plural, namespace, name);
  return undefined;
}

/** A pod is told to end; the node takes it away when its processes have ended. */
function endPod(cluster: Cluster, pod: Obj, seconds: number | undefined): Obj | undefined {
  const grace = seconds ?? Number(pod.spec?.['terminationGracePeriodSeconds'] ?? 30);
  return cluster.update('pods', pod.metadata.namespace, pod.metadata.name, ({ metadata }) => {
    metadata.deletionTimestamp = `${new Date(Date.now() + grace * 1000).toISOString().slice(0, 19)}Z`;
    metadata.deletionGracePeriodSeconds = grace;
  });
}

/** The garbage collector: what nobody owns any more goes, and who waits for the end of his own goes after it. */
export function collectGarbage(cluster: Cluster): void {
  const all = RESOURCES.flatMap(({ plural }) => [...cluster.peek(plural)].map((object) => ({ plural, object })));
  const uids = new Set(all.map(({ object }) => object.metadata.uid));
  for (const { plural, object } of all) {
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length > 0 && owners.every((owner) => !uids.has(owner.uid))) deleteObject(cluster, plural, object, {});
  }
  for (const { plural, object } of all) {
    const { namespace, name, uid, finalizers = [], deletionTimestamp } = object.metadata;
    if (deletionTimestamp === undefined) continue;
    const own = all.filter((one) => one.object.metadata.ownerReferences?.some((owner) => owner.uid === uid));
    if (finalizers.includes('orphan')) {
      for (const one of own) orphan(cluster, one.plural, one.object, uid);
      cluster.drop(plural, namespace, name);
    } else if (finalizers.includes('foregroundDeletion')) {
      const left = own.filter((one) =>
        cluster.read(one.plural, one.object.metadata.namespace, one.object.metadata.name),
      );
      for (const one of left) {
        deleteObject(cluster, one.plural, one.object, one.plural === 'pods' ? {} : { propagationPolicy: 'Foreground' });
      }
      if (left.length === 0) cluster.drop(plural, namespace, name);
    }
  }
}

function orphan(cluster: Cluster, plural: string, object: Obj, uid: string | undefined): void {
  cluster.update(plural, object.metadata.namespace, object.metadata.name, ({ metadata }) => {
    const left = (metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
    if (left.length > 0) metadata.ownerReferences = left;
    else delete metadata.ownerReferences;
  });
}

/** Everything in a namespace, in the order in which it ends. True when nothing is left. */
export function emptyNamespace(cluster: Cluster, namespace: string): boolean {
  for (const pod of cluster.list('pods', namespace)) deleteObject(cluster, 'pods', pod, {});
  if (cluster.list('pods', namespace).length > 0) return false;
  const plurals = RESOURCES.filter((one) => one.namespaced && one.plural !== 'rolebindings').map((one) => one.plural);
  for (const plural of plurals) {
    for (const object of cluster.list(plural, namespace)) deleteObject(cluster, plural, object, {});
  }
  if (plurals.some((plural) => cluster.list(plural, namespace).length > 0)) return false;
  for (const { metadata } of cluster.list('rolebindings', namespace))
    cluster.drop('rolebindings', namespace, metadata.name);
  return true;
}

/** Namespaces and projects are two faces of one object. */
export function projectOf(namespace: Obj): Obj {
  const finalizers = (namespace.spec?.['finalizers'] as string[] | undefined) ?? [];
  return {
    kind: 'Project',
    apiVersion: 'project.openshift.io/v1',
    metadata: namespace.metadata,
    spec: { finalizers },
    status: namespace.status ?? {},
  };
}

export const NAMESPACES = need('namespaces');
