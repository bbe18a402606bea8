import { DEFAULTS } from './defaults.js';
import type { Obj } from './objects.js';
import type { Cause } from './refusals.js';
import { RULES } from './rules.js';

/** What the server knows of a kind of objects. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  /** In the schema. */
  type: string;
  /** Changes of the spec are counted. */
  generation: boolean;
  /** What an update of the spec through the object itself may not touch. */
  statusApart: boolean;
  setDefaults(object: Obj, before?: Obj): void;
  rules(object: Obj, before?: Obj): Cause[];
}

type Row = [
  group: string,
  kind: string,
  plural: string,
  options?: { cluster?: true; generation?: true; type?: string; statusApart?: true },
];

const ROWS: readonly Row[] = [
  ['', 'Namespace', 'namespaces', { cluster: true }],
  ['', 'ConfigMap', 'configmaps'],
  ['', 'Secret', 'secrets'],
  ['', 'Service', 'services'],
  ['', 'ServiceAccount', 'serviceaccounts'],
  ['', 'Pod', 'pods', { generation: true }],
  ['', 'PersistentVolumeClaim', 'persistentvolumeclaims'],
  ['', 'ResourceQuota', 'resourcequotas'],
  ['', 'Event', 'events', { type: 'CoreV1Event' }],
  ['apps', 'Deployment', 'deployments', { generation: true, statusApart: true }],
  ['apps', 'ReplicaSet', 'replicasets', { generation: true, statusApart: true }],
  ['discovery.k8s.io', 'EndpointSlice', 'endpointslices', { generation: true }],
  ['rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings'],
  ['project.openshift.io', 'Project', 'projects', { cluster: true, type: 'Project' }],
  ['image.openshift.io', 'ImageStream', 'imagestreams', { generation: true, type: 'ImageStream', statusApart: true }],
  ['image.openshift.io', 'ImageStreamTag', 'imagestreamtags', { type: 'ImageStreamTag' }],
  ['image.openshift.io', 'ImageStreamImage', 'imagestreamimages', { type: 'ImageStreamImage' }],
  ['build.openshift.io', 'BuildConfig', 'buildconfigs', { generation: true, type: 'BuildConfig' }],
  ['build.openshift.io', 'Build', 'builds', { generation: true, type: 'Build' }],
  ['route.openshift.io', 'Route', 'routes', { type: 'Route', statusApart: true }],
  ['template.openshift.io', 'Template', 'templates', { type: 'Template' }],
];

export const RESOURCES: readonly Resource[] = ROWS.map(([group, kind, plural, options = {}]) => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced: !options.cluster,
  type: options.type ?? `V1${kind}`,
  generation: options.generation ?? false,
  statusApart: options.statusApart ?? false,
  setDefaults: DEFAULTS[kind] ?? (() => undefined),
  rules: RULES[kind] ?? (() => []),
}));

export function resourceOf(group: string, plural: string): Resource | undefined {
  return RESOURCES.find((one) => one.group === group && one.plural === plural);
}

export function need(plural: string): Resource {
  const found = RESOURCES.find((one) => one.plural === plural);
  if (!found) throw new Error(`no resource ${plural}`);
  return found;
}

export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}
