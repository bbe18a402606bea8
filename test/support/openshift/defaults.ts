import { createHash } from 'node:crypto';
import { isJson, type Json, type Obj } from './objects.js';

/** Where routes without a host of their own answer. */
export const DOMAIN = 'apps.ocp.example';

/** What the server fills in, by kind. */
export const DEFAULTS: Readonly<Record<string, (object: Obj, before?: Obj) => void>> = {
  Deployment(object) {
    const spec = ensure(object, 'spec');
    spec['replicas'] ??= 1;
    spec['strategy'] ??= {};
    const strategy = spec['strategy'] as Json;
    strategy['type'] ??= 'RollingUpdate';
    if (strategy['type'] === 'RollingUpdate') {
      strategy['rollingUpdate'] ??= {};
      const rolling = strategy['rollingUpdate'] as Json;
      rolling['maxUnavailable'] ??= '25%';
      rolling['maxSurge'] ??= '25%';
    } else delete strategy['rollingUpdate'];
    spec['revisionHistoryLimit'] ??= 10;
    spec['progressDeadlineSeconds'] ??= 600;
    const template = isJson(spec['template']) ? spec['template'] : {};
    template['metadata'] = { creationTimestamp: null, ...((template['metadata'] as Json) ?? {}) };
    if (isJson(template['spec'])) podSpec(template['spec']);
    object.status ??= {};
  },
  Pod(object) {
    podSpec(ensure(object, 'spec'));
    object.status ??= { phase: 'Pending', qosClass: 'BestEffort' };
  },
  Service(object, before) {
    const spec = ensure(object, 'spec');
    for (const port of (spec['ports'] as Json[] | undefined) ?? []) {
      port['protocol'] ??= 'TCP';
      port['targetPort'] ??= port['port'];
    }
    const address = (before?.spec?.['clusterIP'] as string | undefined) ?? addressOf(object);
    spec['clusterIP'] ??= address;
    spec['clusterIPs'] ??= [spec['clusterIP']];
    spec['type'] ??= 'ClusterIP';
    spec['sessionAffinity'] ??= 'None';
    spec['ipFamilies'] ??= ['IPv4'];
    spec['ipFamilyPolicy'] ??= 'SingleStack';
    spec['internalTrafficPolicy'] ??= 'Cluster';
    object.status ??= { loadBalancer: {} };
  },
  Secret(object) {
    object['type'] ??= 'Opaque';
    const texts = object['stringData'] as Record<string, string> | undefined;
    if (texts) {
      object.data = {
        ...object.data,
        ...Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
      };
      delete object['stringData'];
    }
  },
  PersistentVolumeClaim(object) {
    const spec = ensure(object, 'spec');
    spec['volumeMode'] ??= 'Filesystem';
    object.metadata.finalizers ??= ['kubernetes.io/pvc-protection'];
    object.status ??= { phase: 'Pending' };
  },
  BuildConfig(object) {
    const spec = ensure(object, 'spec');
    spec['runPolicy'] ??= 'Serial';
    spec['source'] ??= { type: 'None' };
    spec['output'] ??= {};
    spec['resources'] ??= {};
    spec['postCommit'] ??= {};
    spec['nodeSelector'] ??= null;
    spec['successfulBuildsHistoryLimit'] ??= 5;
    spec['failedBuildsHistoryLimit'] ??= 5;
    object.status ??= { lastVersion: 0 };
  },
  ImageStream(object) {
    const spec = ensure(object, 'spec');
    spec['lookupPolicy'] ??= { local: false };
    object.status ??= {};
    object.status['dockerImageRepository'] =
      `image-registry.openshift-image-registry.svc:5000/${object.metadata.namespace}/${object.metadata.name}`;
  },
  Route(object, before) {
    const spec = ensure(object, 'spec');
    const old = before?.spec?.['host'];
    if (spec['host'] === undefined && old !== undefined) spec['host'] = old;
    if (spec['host'] === undefined) {
      spec['host'] = `${object.metadata.name}-${object.metadata.namespace}.${DOMAIN}`;
      object.metadata.annotations = { ...object.metadata.annotations, 'openshift.io/host.generated': 'true' };
    }
    const target = spec['to'] as Json | undefined;
    if (target) {
      target['kind'] ??= 'Service';
      target['weight'] ??= 100;
    }
    spec['wildcardPolicy'] ??= 'None';
    object.status ??= {};
  },
};

function ensure(object: Obj, field: 'spec'): Json {
  object[field] ??= {};
  return object[field] as Json;
}

export function podSpec(spec: Json): void {
  for (const container of (spec['containers'] as Json[] | undefined) ?? []) containerDefaults(container);
  spec['restartPolicy'] ??= 'Always';
  spec['terminationGracePeriodSeconds'] ??= 30;
  spec['dnsPolicy'] ??= 'ClusterFirst';
  spec['securityContext'] ??= {};
  spec['schedulerName'] ??= 'default-scheduler';
}

function containerDefaults(container: Json): void {
  for (const port of (container['ports'] as Json[] | undefined) ?? []) port['protocol'] ??= 'TCP';
  container['resources'] ??= {};
  const probe = container['readinessProbe'] as Json | undefined;
  if (probe) {
    probe['timeoutSeconds'] ??= 1;
    probe['periodSeconds'] ??= 10;
    probe['successThreshold'] ??= 1;
    probe['failureThreshold'] ??= 3;
  }
  container['terminationMessagePath'] ??= '/dev/termination-log';
  container['terminationMessagePolicy'] ??= 'File';
  const image = String(container['image'] ?? '');
  container['imagePullPolicy'] ??=
    image.trim() === '' || /@sha256:/.test(image) || (/:[^/]+$/.test(image) && !image.endsWith(':latest'))
      ? 'IfNotPresent'
      : 'Always';
}

function addressOf(object: Obj): string {
  const [a = 0, b = 0] = createHash('sha256').update(`${object.metadata.namespace}/${object.metadata.name}`).digest();
  return `10.0.${a}.${b}`;
}
