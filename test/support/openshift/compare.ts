import { isJson, type Json } from './objects.js';

/**
 * Compares a recorded answer with one of the fake: the same fields, the same kinds of values, and the same words where words decide
 * something. What differs from run to run (ids, times, versions, generated names) only has to be of one kind.
 */
export function differences(recorded: unknown, actual: unknown): string[] {
  const found: string[] = [];
  walk(recorded, actual, '', found);
  return found;
}

/** Values that must be equal, by the last step of their path. */
const EXACT = new Set([
  'kind',
  'apiVersion',
  'phase',
  'reason',
  'code',
  'field',
  'exitCode',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'observedGeneration',
  'cancelled',
  'allowed',
  'termination',
  'insecureEdgeTerminationPolicy',
  'image',
  'host',
  'asFile',
  'runPolicy',
  'lastVersion',
  'serviceAccount',
  'ready',
  'restartCount',
  'restartPolicy',
  'verb',
  'resource',
  'group',
  'selector',
  'progressDeadlineSeconds',
  'imagePullPolicy',
  'protocol',
  'containerPort',
  'propagationPolicy',
]);

/** Where real servers say more than anyone here reads, or say it in their own way: what is left out, and why. */
const LEFT_OUT: readonly RegExp[] = [
  // Which fields belong to whom is compared through conflicts and their texts.
  /\/managedFields$/,
  // A real pod carries tokens, tolerations and security contexts that admission puts in.
  /^(\/items\/\d+|\/\d+\/object)?\/spec\/(volumes|initContainers|tolerations|nodeName|serviceAccount|serviceAccountName|securityContext|imagePullSecrets|priority|enableServiceLinks|preemptionPolicy)$/,
  /\/spec\/containers\/\d+\/(securityContext|volumeMounts|env|args|command|resources)$/,
  /\/annotations\/(seccomp\.|openshift\.io\/(scc|sa\.scc)|security\.openshift\.io|openshift\.io\/image\.dockerRepositoryCheck)/,
  /\/(allocatedResources|volumeMounts|initContainerStatuses|qosClass|duration)$/,
  // Layers and configuration of an image.
  /\/(dockerImageMetadata|dockerImageLayers)$/,
  // A node calls an image by whatever name it has for it.
  /\/containerStatuses\/\d+\/image$/,
  // A new project's finalizers are of a controller's pace.
  /\/spec\/finalizers$/,
  // Tables are for people.
  /\/(columnDefinitions|rows)$/,
];

const isLeftOut = (path: string): boolean => LEFT_OUT.some((pattern) => pattern.test(path));

function walk(recorded: unknown, actual: unknown, path: string, found: string[]): void {
  if (isLeftOut(path)) return;
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    list(recorded, actual, path, found);
    return;
  }
  if (isJson(recorded) && isJson(actual)) {
    object(recorded, actual, path, found);
    return;
  }
  const kinds = [kindOf(recorded), kindOf(actual)];
  if (kinds[0] !== kinds[1]) found.push(`${path}: ${kinds[0]} recorded, ${kinds[1]} here`);
  else if (EXACT.has(path.split('/').at(-1) ?? '') && plain(recorded) !== plain(actual)) {
    found.push(`${path}: ${JSON.stringify(recorded)} recorded, ${JSON.stringify(actual)} here`);
  }
}

function object(recorded: Json, actual: Json, path: string, found: string[]): void {
  if (recorded['kind'] === 'Status' || recorded['type'] !== undefined) words(recorded, actual, path, found);
  const keys = new Set([...Object.keys(recorded), ...Object.keys(actual)]);
  for (const key of keys) {
    const next = `${path}/${key}`;
    if (isLeftOut(next)) continue;
    if (!(key in actual)) found.push(`${next}: only recorded`);
    else if (!(key in recorded)) found.push(`${next}: only here`);
    else walk(recorded[key], actual[key], next, found);
  }
}

/** Texts of refusals and conditions are the server's word, but for what differs from run to run in them. */
function words(recorded: Json, actual: Json, path: string, found: string[]): void {
  for (const key of ['message', 'status', 'type']) {
    const [was, is] = [recorded[key], actual[key]];
    if (typeof was !== 'string' || typeof is !== 'string' || plain(was) === plain(is)) continue;
    found.push(`${path}/${key}: ${JSON.stringify(was)} recorded, ${JSON.stringify(is)} here`);
  }
}

function list(recorded: unknown[], actual: unknown[], path: string, found: string[]): void {
  if (path.endsWith('/conditions')) {
    conditions(recorded as Json[], actual as Json[], path, found);
    return;
  }
  if (recorded.length !== actual.length) {
    found.push(`${path}: ${recorded.length} members recorded, ${actual.length} here`);
  }
  const [was, is] = path === '/items' ? [inOrder(recorded), inOrder(actual)] : [recorded, actual];
  was.slice(0, is.length).forEach((one, index) => {
    walk(one, is[index], `${path}/${index}`, found);
  });
}

/** Objects of one owner have generated names: the order of their names says nothing. */
export function inOrder(items: readonly unknown[]): unknown[] {
  const mark = (item: unknown): string => {
    const { spec, status } = item as { spec?: { containers?: { image?: string }[] }; status?: { phase?: string } };
    return `${status?.phase ?? ''} ${spec?.containers?.[0]?.image ?? ''}`;
  };
  if (!items.every((item) => isJson(item) && isJson(item['spec']) && Array.isArray(item['spec']['containers'])))
    return [...items];
  return [...items].sort((a, b) => (mark(a) < mark(b) ? -1 : mark(a) > mark(b) ? 1 : 0));
}

function conditions(recorded: Json[], actual: Json[], path: string, found: string[]): void {
  const types = new Set([...recorded, ...actual].map((one) => String(one['type'])));
  for (const type of types) {
    const was = recorded.find((one) => one['type'] === type);
    const is = actual.find((one) => one['type'] === type);
    if (!was || !is) found.push(`${path}/${type}: only ${was ? 'recorded' : 'here'}`);
    else walk(was, is, `${path}/${type}`, found);
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

/** Without ids, digests, generated endings, times and amounts. */
function plain(value: unknown): string {
  return String(value)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
    .replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replace(/\b([a-z][a-z0-9]*)-[0-9a-f]{8,10}(-[a-z0-9]{5})?\b/g, '$1-HASH$2')
    .replace(/HASH-[a-z0-9]{5}\b/g, 'HASH-NAME')
    .replace(/\(\d+\)/g, '(N)')
    .replace(/current: \d+/g, 'current: N');
}
