import { at, type Json, type Obj } from './objects.js';
import { notFound, status } from './refusals.js';
import { tagOf } from './registry.js';
import { need } from './resources.js';
import { condition, owner, type World } from './world.js';

/** What a request makes of a BuildConfig; it is refused where the real one refuses it. */
export function newBuild(world: World, namespace: string, configName: string, source: Json, more: Json = {}): Obj {
  const { cluster, trouble } = world;
  const config = cluster.read('buildconfigs', namespace, configName);
  if (!config) throw notFound(need('buildconfigs'), configName);
  const from = at(config, 'spec', 'strategy', 'sourceStrategy', 'from') as {
    kind: string;
    namespace?: string;
    name: string;
  };
  if (from.kind === 'ImageStreamTag') demandTag(world, from.namespace ?? namespace, from.name);
  const account = cluster.read('serviceaccounts', namespace, 'builder');
  if (!account || trouble.builderRefusals > 0) {
    trouble.builderRefusals = Math.max(0, trouble.builderRefusals - 1);
    const text = `error getting push/pull secrets for service account ${namespace}/builder: serviceaccounts "builder" not found`;
    throw status(500, 'InternalError', `Internal error occurred: ${text}`, { causes: [{ message: text }] });
  }
  const number = Number(config.status?.['lastVersion'] ?? 0) + 1;
  cluster.update('buildconfigs', namespace, configName, (object) => {
    object.status = { ...object.status, lastVersion: number };
    object.metadata.generation = (object.metadata.generation ?? 0) + 1;
  });
  const { strategy, output, runPolicy, completionDeadlineSeconds } = config.spec as Json;
  const deadline = completionDeadlineSeconds === undefined ? {} : { completionDeadlineSeconds };
  return cluster.insert(need('builds'), {
    kind: 'Build',
    apiVersion: 'build.openshift.io/v1',
    metadata: {
      name: `${configName}-${number}`,
      namespace,
      labels: {
        ...config.metadata.labels,
        buildconfig: configName,
        'openshift.io/build-config.name': configName,
        'openshift.io/build.start-policy': String(runPolicy),
      },
      annotations: { 'openshift.io/build-config.name': configName, 'openshift.io/build.number': String(number) },
      ownerReferences: [owner(config)],
    },
    spec: {
      serviceAccount: 'builder',
      source,
      strategy,
      output,
      resources: {},
      postCommit: {},
      nodeSelector: null,
      ...deadline,
      ...more,
    },
    status: {
      phase: 'New',
      config: { kind: 'BuildConfig', namespace, name: configName },
      output: {},
      conditions: condition([], 'New', 'True'),
    },
  });
}

function demandTag({ cluster }: World, namespace: string, name: string): void {
  const [stream = '', tag = ''] = name.split(':');
  const object = cluster.read('imagestreams', namespace, stream);
  if (tagOf(object, tag)) return;
  const missing = object
    ? `imagestreamtags.image.openshift.io "${name}" not found`
    : `imagestreams.image.openshift.io "${stream}" not found`;
  const text = `Error resolving ImageStreamTag ${name} in namespace ${namespace}: ${missing}`;
  throw status(422, 'Invalid', text, { name, kind: 'ImageStreamTag', causes: [{ message: text, field: 'from' }] });
}
