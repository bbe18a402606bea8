import { createHash } from 'node:crypto';
import { podRefusal } from './admission.js';
import { deleteObject } from './deletion.js';
import { at, clone, equal, type Json, type Obj } from './objects.js';
import { need } from './resources.js';
import { condition, owner, type World } from './world.js';
import { suffix } from './writes.js';

const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';

/** The controllers of Deployments and ReplicaSets: rollouts as a real cluster does them, with surge, availability and deadline. */
export function controlDeployments(world: World): void {
  const { cluster } = world;
  /** When a rollout last came forward, in milliseconds, by uid and generation. */
  const progress = new Map<string, { state: string; since: number; call: () => void }>();

  world.control(() => {
    for (const deployment of cluster.list('deployments')) if (!deployment.metadata.deletionTimestamp) roll(deployment);
    for (const set of cluster.list('replicasets')) if (!set.metadata.deletionTimestamp) fill(set);
    for (const deployment of cluster.list('deployments')) tell(deployment);
  });

  const setsOf = ({ metadata }: Obj): Obj[] =>
    cluster
      .list('replicasets', metadata.namespace)
      .filter((set) => set.metadata.ownerReferences?.some((one) => one.uid === metadata.uid));
  const podsOf = ({ metadata }: Obj): Obj[] =>
    cluster
      .list('pods', metadata.namespace)
      .filter((pod) => pod.metadata.ownerReferences?.some((one) => one.uid === metadata.uid));

  function roll(deployment: Obj): void {
    const template = clone(deployment.spec?.['template']) as Json;
    const sets = setsOf(deployment);
    const fresh = sets.find((set) => equal(withoutHash(set), template)) ?? newSet(deployment, template, sets);
    const revision = Math.max(...setsOf(deployment).map(revisionOf));
    if (revisionOf(fresh) < revision) annotate('replicasets', fresh, String(revision + 1));
    annotate(
      'deployments',
      deployment,
      String(
        Math.max(
          revision,
          revisionOf(cluster.read('replicasets', fresh.metadata.namespace, fresh.metadata.name) ?? fresh),
        ),
      ),
    );
    const old = sets.filter((set) => set.metadata.uid !== fresh.metadata.uid);
    const wanted = Number(deployment.spec?.['replicas']);
    if (at(deployment, 'spec', 'strategy', 'type') === 'Recreate') {
      for (const set of old) size(set, 0);
      const isEmpty = old.every((set) => podsOf(set).length === 0);
      size(fresh, isEmpty ? wanted : 0);
      return;
    }
    const surge = share(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxSurge'), wanted, Math.ceil);
    const gap = share(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), wanted, Math.floor);
    const sized = (set: Obj) => Number(set.spec?.['replicas']);
    const oldTotal = old.reduce((sum, set) => sum + sized(set), 0);
    if (oldTotal === 0) {
      size(fresh, wanted);
      return;
    }
    size(fresh, Math.max(0, Math.min(wanted, wanted + Math.max(surge, gap === 0 ? 1 : 0) - oldTotal)));
    const ready = [...old, fresh].flatMap(podsOf).filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);
    const lost = old.flatMap(podsOf).filter((pod) => !isReady(pod) && !pod.metadata.deletionTimestamp).length;
    let spare = Math.max(0, ready.length - (wanted - gap)) + lost;
    for (const set of old) {
      const less = Math.min(spare, sized(set));
      if (less > 0) size(set, sized(set) - less);
      spare -= less;
    }
  }

  function annotate(plural: string, object: Obj, revision: string): void {
    cluster.update(plural, object.metadata.namespace, object.metadata.name, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [REVISION]: revision };
    });
  }

  function newSet(deployment: Obj, template: Json, sets: readonly Obj[]): Obj {
    const hash = createHash('sha1').update(JSON.stringify(template)).digest('hex').slice(0, 10);
    const { name, namespace } = deployment.metadata;
    const labels = { ...(at(template, 'metadata', 'labels') as Record<string, string>), [HASH]: hash };
    const replicas = Number(deployment.spec?.['replicas']);
    const made = cluster.insert(need('replicasets'), {
      kind: 'ReplicaSet',
      apiVersion: 'apps/v1',
      metadata: {
        name: `${name}-${hash}`,
        ...(namespace === undefined ? {} : { namespace }),
        labels,
        annotations: {
          'deployment.kubernetes.io/desired-replicas': String(replicas),
          'deployment.kubernetes.io/max-replicas': String(replicas + 1),
          [REVISION]: String(1 + Math.max(0, ...sets.map(revisionOf))),
        },
        ownerReferences: [owner(deployment, true)],
      },
      spec: {
        replicas: sets.length === 0 ? replicas : 0,
        selector: { matchLabels: { ...(at(deployment, 'spec', 'selector', 'matchLabels') as Json), [HASH]: hash } },
        template: { ...template, metadata: { ...(template['metadata'] as Json), labels } },
      },
      status: { replicas: 0 },
    });
    setConditions(deployment, (list) =>
      condition(list, 'Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${made.metadata.name}"`),
    );
    return made;
  }

  function setConditions({ metadata }: Obj, change: (list: Json[]) => Json[]): void {
    cluster.update('deployments', metadata.namespace, metadata.name, (object) => {
      object.status = { ...object.status, conditions: change((object.status?.['conditions'] as Json[]) ?? []) };
    });
  }

  function size(set: Obj, replicas: number): void {
    cluster.update('replicasets', set.metadata.namespace, set.metadata.name, (object) => {
      object.spec = { ...object.spec, replicas };
    });
  }

  /** As many pods as the set says. */
  function fill(set: Obj): void {
    const pods = podsOf(set).filter((pod) => !pod.metadata.deletionTimestamp);
    const wanted = Number(set.spec?.['replicas']);
    let refused: string | undefined;
    for (let missing = wanted - pods.length; missing > 0 && refused === undefined; missing -= 1) {
      const pod = podFor(set);
      refused = podRefusal(world, pod);
      if (refused === undefined) cluster.insert(need('pods'), pod);
    }
    const surplus = [...pods]
      .sort((a, b) => Number(isReady(a)) - Number(isReady(b)))
      .slice(0, Math.max(0, pods.length - wanted));
    for (const pod of surplus) deleteObject(cluster, 'pods', pod, {});
    cluster.update('replicasets', set.metadata.namespace, set.metadata.name, (object) => {
      const now = podsOf(set).filter((pod) => !pod.metadata.deletionTimestamp);
      const list = ((object.status?.['conditions'] as Json[]) ?? []).filter((one) => one['type'] !== 'ReplicaFailure');
      object.status = {
        replicas: now.length,
        fullyLabeledReplicas: now.length,
        readyReplicas: now.filter(isReady).length,
        availableReplicas: now.filter(isReady).length,
        observedGeneration: object.metadata.generation,
        ...(refused === undefined
          ? {}
          : { conditions: condition(list, 'ReplicaFailure', 'True', 'FailedCreate', refused) }),
      };
    });
  }

  function podFor(set: Obj): Obj {
    const template = clone(set.spec?.['template']) as { metadata: Obj['metadata']; spec: Json };
    const { creationTimestamp: _, ...metadata } = template.metadata;
    const name = `${set.metadata.name}-${suffix()}`;
    return {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        ...metadata,
        name,
        generateName: `${set.metadata.name}-`,
        ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
        annotations: {
          ...metadata.annotations,
          'openshift.io/scc': 'restricted-v2',
          'security.openshift.io/validated-scc-subject-type': 'user',
        },
        ownerReferences: [owner(set, true)],
      },
      spec: template.spec,
      status: { phase: 'Pending', qosClass: 'Burstable' },
    };
  }

  function tell(deployment: Obj): void {
    const sets = setsOf(deployment);
    const current = cluster.read('deployments', deployment.metadata.namespace, deployment.metadata.name);
    if (!current || sets.length === 0) return;
    const template = current.spec?.['template'];
    const fresh = sets.find((set) => equal(withoutHash(set), template));
    const sum = (list: readonly Obj[], field: string) =>
      list.reduce((total, set) => total + Number(set.status?.[field] ?? 0), 0);
    const wanted = Number(current.spec?.['replicas']);
    const updated = fresh ? Number(fresh.status?.['replicas'] ?? 0) : 0;
    const replicas = sum(sets, 'replicas');
    const available = sum(sets, 'availableReplicas');
    const counts = {
      replicas,
      updatedReplicas: updated,
      readyReplicas: sum(sets, 'readyReplicas'),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, Math.max(wanted, replicas) - available),
    };
    const surge = share(at(current, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), wanted, Math.floor);
    const isDone = updated >= wanted && available >= wanted && replicas === updated;
    const failure =
      fresh && ((fresh.status?.['conditions'] as Json[]) ?? []).find((one) => one['type'] === 'ReplicaFailure');
    const late = isLate(current, counts, isDone);
    cluster.update('deployments', current.metadata.namespace, current.metadata.name, (object) => {
      let list = (object.status?.['conditions'] as Json[]) ?? [];
      const hasEnough = available >= wanted - surge;
      list = condition(
        list,
        'Available',
        hasEnough ? 'True' : 'False',
        hasEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        hasEnough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
      );
      const set = fresh?.metadata.name ?? '';
      const was = list.find((one) => one['type'] === 'Progressing')?.['reason'];
      if (isDone)
        list = condition(
          list,
          'Progressing',
          'True',
          'NewReplicaSetAvailable',
          `ReplicaSet "${set}" has successfully progressed.`,
        );
      else if (late)
        list = condition(
          list,
          'Progressing',
          'False',
          'ProgressDeadlineExceeded',
          `ReplicaSet "${set}" has timed out progressing.`,
        );
      else if (replicas > 0 && !(was === 'NewReplicaSetAvailable' && replicas === updated)) {
        list = condition(list, 'Progressing', 'True', 'ReplicaSetUpdated', `ReplicaSet "${set}" is progressing.`);
      }
      list = list.filter((one) => one['type'] !== 'ReplicaFailure');
      if (failure) list = condition(list, 'ReplicaFailure', 'True', 'FailedCreate', String(failure['message']));
      const shown = Object.fromEntries(Object.entries(counts).filter(([, value]) => value > 0));
      object.status = { observedGeneration: object.metadata.generation, ...shown, conditions: list };
    });
  }

  /** Whether nothing came forward for the whole deadline. */
  function isLate({ metadata, spec }: Obj, counts: Json, isDone: boolean): boolean {
    const uid = metadata.uid ?? '';
    const state = `${metadata.generation} ${JSON.stringify(counts)}`;
    const known = progress.get(uid);
    if (isDone) {
      known?.call();
      progress.delete(uid);
      return false;
    }
    const seconds = Number(spec?.['progressDeadlineSeconds'] ?? 600);
    if (known?.state !== state) {
      known?.call();
      progress.set(uid, { state, since: Date.now(), call: world.after(seconds + 0.5, () => world.wake()) });
      return false;
    }
    return Date.now() - known.since >= seconds * world.settings.second;
  }
}

export function isReady(pod: Obj): boolean {
  const conditions = (pod.status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.some((one) => one.type === 'Ready' && one.status === 'True');
}

function revisionOf(set: Obj): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0);
}

function withoutHash(set: Obj): Json {
  const template = clone(set.spec?.['template']) as { metadata: { labels: Record<string, string> } };
  delete template.metadata.labels[HASH];
  return template;
}

/** A number, or a percentage of the wanted ones. */
function share(value: unknown, wanted: number, round: (number: number) => number): number {
  if (typeof value === 'number') return value;
  return round((wanted * Number.parseInt(String(value ?? '25%'), 10)) / 100);
}
