import { at, type Json, type Obj } from './objects.js';
import type { World } from './world.js';

/** Why a pod may not be made: constraints of its security context, quotas. Undefined: it may. */
export function podRefusal(world: World, pod: Obj): string | undefined {
  return ending(world, pod) ?? blank(pod) ?? constraints(pod) ?? quota(world, pod);
}

function blank(pod: Obj): string | undefined {
  const images = ((pod.spec?.['containers'] as Json[]) ?? []).map((one) => String(one['image']));
  if (images.every((image) => image === image.trim())) return undefined;
  return `Pod "${pod.metadata.name}" is invalid: spec.containers[0].image: Invalid value: " ": must not have leading or trailing whitespace`;
}

function ending({ cluster }: World, { metadata }: Obj): string | undefined {
  const namespace = cluster.read('namespaces', undefined, metadata.namespace ?? '');
  if (namespace?.status?.['phase'] === 'Active') return undefined;
  return `pods "${metadata.name}" is forbidden: unable to create new content in namespace ${metadata.namespace} because it is being terminated`;
}

const OTHERS = [
  'restricted',
  'nonroot-v2',
  'nonroot',
  'hostmount-anyuid',
  'hostnetwork-v2',
  'hostnetwork',
  'hostaccess',
  'privileged',
];

/** `title` is what the pod is called: the controller asks before there is a name. */
export function constraints(pod: Obj): string | undefined {
  const faults = ((pod.spec?.['containers'] as Json[]) ?? []).flatMap((container, index) => {
    const context = (container['securityContext'] ?? {}) as { runAsUser?: number; privileged?: boolean };
    const place = `provider restricted-v2: .containers[${index}]`;
    return [
      ...(context.runAsUser === 0
        ? [`${place}.runAsUser: Invalid value: 0: must be in the ranges: [1000040000, 1000049999]`]
        : []),
      ...(context.privileged
        ? [`${place}.privileged: Invalid value: true: Privileged containers are not allowed`]
        : []),
    ];
  });
  if (faults.length === 0) return undefined;
  const closed = (name: string) => `provider "${name}": Forbidden: not usable by user or serviceaccount`;
  const all = [closed('anyuid'), ...faults, ...OTHERS.map(closed)];
  const title = pod.metadata.generateName ?? pod.metadata.name;
  return `pods "${title}" is forbidden: unable to validate against any security context constraint: [${all.join(', ')}]`;
}

function quota(world: World, pod: Obj): string | undefined {
  const { namespace } = pod.metadata;
  const pods = world.cluster
    .list('pods', namespace)
    .filter((one) => !['Succeeded', 'Failed'].includes(String(one.status?.['phase'])));
  for (const one of world.cluster.list('resourcequotas', namespace)) {
    const hard = (one.spec?.['hard'] ?? {}) as Record<string, string>;
    const asked: Record<string, number> = { 'limits.memory': mebibytes(pod), pods: 1 };
    const used: Record<string, number> = {
      'limits.memory': pods.reduce((sum, other) => sum + mebibytes(other), 0),
      pods: pods.length,
    };
    const limits: Record<string, number> = {
      'limits.memory': amount(hard['limits.memory'] ?? ''),
      pods: Number(hard['pods'] ?? Number.NaN),
    };
    const names = Object.keys(hard).filter((name) => asked[name] !== undefined);
    if (names.every((name) => (used[name] ?? 0) + (asked[name] ?? 0) <= (limits[name] ?? Number.POSITIVE_INFINITY)))
      continue;
    const list = (values: Record<string, number>, unit = (name: string) => (name === 'pods' ? '' : 'Mi')) =>
      names.map((name) => `${name}=${values[name]}${unit(name)}`).join(',');
    return `pods "${pod.metadata.name}" is forbidden: exceeded quota: ${one.metadata.name}, requested: ${list(asked)}, used: ${list(used)}, limited: ${names.map((name) => `${name}=${hard[name]}`).join(',')}`;
  }
  return undefined;
}

function mebibytes(pod: Obj): number {
  return ((pod.spec?.['containers'] as Json[]) ?? []).reduce(
    (sum, one) => sum + amount(String(at(one, 'resources', 'limits', 'memory') ?? '0')),
    0,
  );
}

/** MiB of `128Mi`, `2Gi`. */
export function amount(text: string): number {
  const [, number = '0', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  const factors: Record<string, number> = { Ki: 1 / 1024, Mi: 1, Gi: 1024, Ti: 1024 * 1024, '': 1 / (1024 * 1024) };
  return Number(number) * (factors[unit] ?? 1);
}
