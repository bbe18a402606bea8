import * as models from '@kubernetes/client-node';
import { isJson } from './objects.js';
import { OPENSHIFT_TYPES } from './openshift-types.js';

/**
 * The fields that the API knows. Those of Kubernetes come from the models of the Kubernetes project's client, those of OpenShift are
 * written down here as far as the gateway could ever use them; a test holds them against the server's own document.
 */
export interface Field {
  /** `string`, `number`, `boolean`, `Date`, `IntOrString`, `any`, the name of a type, `Array<…>` or `{ [key: string]: …; }`. */
  type: string;
}

/** Lists whose members are known by one or more of their fields; all other lists are of one piece. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  'V1PodSpec.containers': ['name'],
  'V1PodSpec.initContainers': ['name'],
  'V1PodSpec.volumes': ['name'],
  'V1PodSpec.imagePullSecrets': ['name'],
  'V1Container.env': ['name'],
  'V1Container.ports': ['containerPort', 'protocol'],
  'V1Container.volumeMounts': ['mountPath'],
  'V1ServiceSpec.ports': ['port', 'protocol'],
  'V1DeploymentStatus.conditions': ['type'],
  'V1PodStatus.conditions': ['type'],
  'V1ObjectMeta.ownerReferences': ['uid'],
};
const SETS = new Set(['V1ObjectMeta.finalizers']);
/** Objects that are of one piece. */
const WHOLE = new Set([
  'V1LabelSelector',
  'V1LocalObjectReference',
  'V1ObjectReference',
  'V1SecretKeySelector',
  'V1ConfigMapKeySelector',
  'Reference',
  'V1TypedLocalObjectReference',
]);
const WHOLE_MAPS = new Set(['V1ServiceSpec.selector', 'V1PodSpec.nodeSelector', 'V1LabelSelector.matchLabels']);
/** Members that have a key with a default. */
export const KEY_DEFAULTS: Readonly<Record<string, string>> = { protocol: 'TCP' };

type ModelClass = { getAttributeTypeMap(): { baseName: string; type: string }[] };
const cache = new Map<string, Map<string, string>>();

/** The fields of a type; undefined when it is no object type or anything goes. */
export function fieldsOf(type: string): Map<string, string> | undefined {
  const known = cache.get(type);
  if (known) return known;
  const own = OPENSHIFT_TYPES[type];
  const model = (models as unknown as Record<string, ModelClass | undefined>)[type];
  const entries = own
    ? Object.entries(own)
    : model?.getAttributeTypeMap?.().map((one) => [one.baseName, one.type] as const);
  if (!entries) return undefined;
  const fields = new Map<string, string>(entries);
  cache.set(type, fields);
  return fields;
}

export function memberOf(type: string): string | undefined {
  return /^Array<(.*)>$/.exec(type)?.[1];
}

export function entryOf(type: string): string | undefined {
  return /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
}

/** How a value in this place is owned: by its parts, or as a whole. */
export function structureOf(parent: string, field: string, type: string): 'map' | 'object' | 'list' | 'set' | 'whole' {
  const place = `${parent}.${field}`;
  if (memberOf(type) !== undefined) return LIST_KEYS[place] ? 'list' : SETS.has(place) ? 'set' : 'whole';
  if (entryOf(type) !== undefined) return WHOLE_MAPS.has(place) ? 'whole' : 'map';
  if (WHOLE.has(type) || fieldsOf(type) === undefined) return 'whole';
  return 'object';
}

export function keysOf(parent: string, field: string): readonly string[] {
  return LIST_KEYS[`${parent}.${field}`] ?? [];
}

export interface Finding {
  /** In the form of a decoder: `spec.template.spec.containers[0].image`. */
  path: string;
  /** In the form of a merge: `.spec.template.spec.containers[name="web"].image`. */
  merged: string;
  problem: 'unknown' | 'type';
  expected?: string;
  got?: string;
}

/** Unknown fields and wrong types, in the order in which a server meets them. */
export function examine(value: unknown, type: string): Finding[] {
  const findings: Finding[] = [];
  walk(value, type, '', '', '', '', findings);
  return findings;
}

function walk(
  value: unknown,
  type: string,
  parent: string,
  field: string,
  path: string,
  merged: string,
  findings: Finding[],
): void {
  if (value === null || value === undefined || type === 'any' || type === 'object') return;
  const complain = (expected: string, got: string) => findings.push({ path, merged, problem: 'type', expected, got });
  const member = memberOf(type);
  if (member !== undefined) {
    if (!Array.isArray(value)) return void complain('list', typeof value);
    const keys = keysOf(parent, field);
    value.forEach((one: unknown, index) => {
      const key = keys
        .map((name) => `${name}=${JSON.stringify((one as Record<string, unknown>)?.[name] ?? KEY_DEFAULTS[name])}`)
        .join(',');
      walk(
        one,
        member,
        type,
        String(index),
        `${path}[${index}]`,
        `${merged}[${keys.length > 0 ? key : index}]`,
        findings,
      );
    });
    return;
  }
  const inner = entryOf(type);
  if (inner !== undefined) {
    if (!isJson(value)) return void complain('map', typeof value);
    for (const [name, one] of Object.entries(value))
      walk(one, inner, type, name, `${path}.${name}`, `${merged}.${name}`, findings);
    return;
  }
  const fields = fieldsOf(type);
  if (fields === undefined) {
    scalar(value, type, complain);
    return;
  }
  if (!isJson(value)) return void complain('map', typeof value);
  for (const [name, one] of Object.entries(value)) {
    const next = fields.get(name);
    const place = path === '' ? name : `${path}.${name}`;
    if (next === undefined) findings.push({ path: place, merged: `${merged}.${name}`, problem: 'unknown' });
    else walk(one, next, type, name, place, `${merged}.${name}`, findings);
  }
}

function scalar(value: unknown, type: string, complain: (expected: string, got: string) => void): void {
  const is = typeof value;
  if (type === 'number' && is !== 'number') complain('numeric (int or float)', is);
  if ((type === 'string' || type === 'Date') && is !== 'string') complain('string', is === 'number' ? 'integer' : is);
  if (type === 'boolean' && is !== 'boolean') complain('boolean', is);
  if (type === 'IntOrString' && is !== 'number' && is !== 'string') complain('integer or string', is);
}

/** Without the fields that the type does not have. */
export function known(value: unknown, type: string): unknown {
  const member = memberOf(type);
  if (member !== undefined && Array.isArray(value)) return value.map((one) => known(one, member));
  const inner = entryOf(type);
  if (inner !== undefined || !isJson(value)) return value;
  const fields = fieldsOf(type);
  if (fields === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) =>
      fields.has(name) ? [[name, known(one, fields.get(name) ?? 'any')]] : [],
    ),
  );
}
