import { emptyNamespace, projectOf } from './deletion.js';
import { clone, type Json, now, type Obj } from './objects.js';
import { mergePatch } from './patches.js';
import { badRequest, exists, forbidden, invalid, notFound, required, status, wrong } from './refusals.js';
import { type Answer, bodyOf, type Request } from './request.js';
import { need, type Resource } from './resources.js';
import { dnsLabel } from './rules.js';
import type { World } from './world.js';
import { suffix } from './writes.js';

const REQUEST = { group: 'project.openshift.io', plural: 'project', kind: 'ProjectRequest' };
const RESERVED = ['openshift-', 'kube-'];
/** The ConfigMaps of every project. */
const CERTIFICATES = [
  ['kube-root-ca.crt', 'ca.crt', 'kubernetes.io/description'],
  ['openshift-service-ca.crt', 'service-ca.crt', 'service.beta.openshift.io/inject-cabundle'],
] as const;
/** Seconds until a new project has its service accounts. */
const ACCOUNTS_AFTER = 3;

export interface Namespaces {
  request(request: Request): Promise<Answer>;
  project(name: string): Obj | undefined;
  projects(): Obj[];
  patchProject(request: Request, name: string): Promise<Answer>;
  deleteProject(name: string): Answer;
  /** For the cluster's own ones. */
  add(name: string, annotations?: Record<string, string>): Obj;
}

export function createNamespaces(world: World): Namespaces {
  const { cluster, trouble } = world;
  const equipped = new Set<string>();

  world.control(() => {
    for (const namespace of cluster.list('namespaces')) {
      const { name, uid = '' } = namespace.metadata;
      if (namespace.status?.['phase'] === 'Terminating') end(namespace);
      else if (
        namespace.metadata.annotations?.['openshift.io/requester'] !== undefined &&
        !equipped.has(uid) &&
        !trouble.withoutBuilder
      ) {
        equipped.add(uid);
        world.after(ACCOUNTS_AFTER, () => equip(name));
      }
    }
  });

  function end(namespace: Obj): void {
    const { name } = namespace.metadata;
    if (!trouble.stuckTerminating) {
      if (emptyNamespace(cluster, name)) cluster.drop('namespaces', undefined, name);
    } else if (!(namespace.status?.['conditions'] as unknown[] | undefined)) {
      cluster.update('namespaces', undefined, name, (object) => {
        const message =
          'Some content in the namespace has finalizers remaining: example.org/held in 1 resource instances';
        const one = {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message,
          lastTransitionTime: now(),
        };
        object.status = { ...object.status, conditions: [one] };
      });
    }
  }

  /** What controllers put into each new project. */
  function equip(namespace: string): void {
    if (!cluster.read('namespaces', undefined, namespace)) return;
    for (const name of ['builder', 'default', 'deployer']) {
      const secret = `${name}-dockercfg-${suffix()}`;
      cluster.replace(need('serviceaccounts'), {
        kind: 'ServiceAccount',
        apiVersion: 'v1',
        metadata: { name, namespace, annotations: { 'openshift.io/internal-registry-pull-secret-ref': secret } },
        secrets: [{ name: secret }],
        imagePullSecrets: [{ name: secret }],
      });
    }
    const note = { 'openshift.io/description': 'It is auto-managed by a controller.' };
    const builder = { kind: 'ServiceAccount', name: 'builder', namespace };
    const all = { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: `system:serviceaccounts:${namespace}` };
    bind(namespace, 'system:image-builders', 'system:image-builder', builder, note);
    bind(namespace, 'system:image-pullers', 'system:image-puller', all, note);
    cluster.update('namespaces', undefined, namespace, ({ metadata, spec }) => {
      metadata.annotations = {
        ...metadata.annotations,
        'openshift.io/sa.scc.mcs': 's0:c2,c0',
        'openshift.io/sa.scc.supplemental-groups': '1000020000/10000',
        'openshift.io/sa.scc.uid-range': '1000020000/10000',
      };
      if (spec) spec['finalizers'] = ['kubernetes'];
    });
  }

  function bind(
    namespace: string,
    name: string,
    role: string,
    subject: Json,
    annotations?: Record<string, string>,
  ): void {
    cluster.replace(need('rolebindings'), {
      kind: 'RoleBinding',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { name, namespace, ...(annotations ? { annotations } : {}) },
      subjects: [subject],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    });
  }

  function add(name: string, annotations?: Record<string, string>): Obj {
    const made = cluster.insert(need('namespaces'), {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name }, ...(annotations ? { annotations } : {}) },
      spec: { finalizers: ['openshift.io/origin', 'kubernetes'] },
      status: { phase: 'Active' },
    });
    for (const [map, key, annotation] of CERTIFICATES) {
      cluster.insert(need('configmaps'), {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { name: map, namespace: name, annotations: { [annotation]: 'true' } },
        data: { [key]: 'certificates' },
      });
    }
    return made;
  }

  const project = (name: string): Obj | undefined => {
    const namespace = cluster.read('namespaces', undefined, name);
    return namespace && projectOf(namespace);
  };

  return {
    add,
    project,
    projects: () => cluster.list('namespaces').map(projectOf),
    async request({ incoming, user }) {
      const body = JSON.parse(await bodyOf(incoming)) as Json & { metadata: Obj['metadata'] };
      const name = body.metadata.name ?? '';
      if (name === '' && body.metadata.generateName) {
        const text = 'metadata.name was not generated';
        throw status(500, 'InternalError', `Internal error occurred: ${text}`, { causes: [{ message: text }] });
      }
      const named = { ...REQUEST, kind: 'ProjectRequest' };
      const short = name.length === 1 ? [wrong('metadata.name', name, 'must be at least 2 characters long')] : [];
      const causes =
        name === ''
          ? [required('metadata.name', 'name or generateName is required')]
          : [...short, ...dnsLabel('metadata.name', name)];
      if (causes.length > 0) throw invalid(named.group, named.kind, name, causes);
      const reserved = RESERVED.find((prefix) => name.startsWith(prefix));
      if (reserved) throw forbidden(REQUEST, name, `cannot request a project starting with "${reserved}"`);
      if (cluster.read('namespaces', undefined, name)) throw exists(REQUEST, name);
      const annotations = {
        'openshift.io/description': String(body['description'] ?? ''),
        'openshift.io/display-name': String(body['displayName'] ?? ''),
        'openshift.io/requester': user,
      };
      const made = add(name, annotations);
      bind(name, 'admin', 'admin', { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user });
      return { code: 201, body: projectOf(made) };
    },
    async patchProject({ incoming }, name) {
      const before = project(name);
      if (!before) throw notFound(need('projects'), name);
      const type = incoming.headers['content-type'] ?? '';
      if (!type.startsWith('application/merge-patch+json'))
        throw badRequest(`this server takes a merge patch of a project only, not ${type}`);
      const after = mergePatch(before, JSON.parse(await bodyOf(incoming))) as Obj;
      const causes = [...changed(before, after, 'labels'), ...changed(before, after, 'annotations')];
      if (causes.length > 0) throw invalid('project.openshift.io', 'Project', name, causes);
      const stored = cluster.update('namespaces', undefined, name, ({ metadata }) => {
        metadata.annotations = { ...after.metadata.annotations };
      });
      return { code: 200, body: stored ? projectOf(stored) : after };
    },
    deleteProject(name) {
      cluster.update('namespaces', undefined, name, (object) => {
        object.metadata.deletionTimestamp ??= now();
        object.status = { ...object.status, phase: 'Terminating' };
        object.spec = { finalizers: ['kubernetes'] };
      });
      return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
    },
  };
}

const FREE = ['openshift.io/display-name', 'openshift.io/description'];

function changed(before: Obj, after: Obj, field: 'labels' | 'annotations') {
  const old = before.metadata[field] ?? {};
  const fresh = clone(after.metadata[field] ?? {});
  return Object.entries(fresh)
    .filter(([key, value]) => old[key] !== value && !FREE.includes(key))
    .map(([key, value]) => wrong(`metadata.${field}[${key}]`, value, 'field is immutable, try updating the namespace'));
}

export const PROJECTS: Resource = need('projects');
