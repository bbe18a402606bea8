import type { Cluster } from './cluster.js';
import { at, type Obj } from './objects.js';
import { forbidden, type Named, type Refusal, status } from './refusals.js';

/** What somebody asks to do. */
export interface Ask {
  user: string;
  verb: string;
  resource: Named;
  subresource?: string;
  namespace?: string;
  name?: string;
}

const READS = ['get', 'list', 'watch'];
/** What the administrator of a project may not write. */
const KEPT = ['resourcequotas', 'namespaces', 'events'];

export interface Rights {
  may(ask: Ask): boolean;
  /** As `may`, and tells what nobody gave. */
  demand(ask: Ask): void;
  /** Switch: these asks are refused, whoever asks. */
  deny(ask: { verb?: string; plural: string; subresource?: string }): () => void;
  groups(user: string): string[];
}

export interface UsersOptions {
  administrators: readonly string[];
  /** May see everything over all namespaces. */
  observers: readonly string[];
  selfProvisioning(): boolean;
}

/** Role bindings of the namespaces decide, by the names of the cluster roles admin, edit and view. */
export function createRights(cluster: Cluster, options: UsersOptions): Rights {
  const denied = new Set<{ verb?: string; plural: string; subresource?: string }>();

  const may = (ask: Ask): boolean => {
    const { user, verb, resource, subresource, namespace } = ask;
    const isDenied = [...denied].some(
      (one) =>
        one.plural === resource.plural &&
        (one.verb ?? verb) === verb &&
        (one.subresource ?? subresource) === subresource,
    );
    if (isDenied) return false;
    if (options.administrators.includes(user)) return true;
    if (user === 'system:anonymous') return false;
    if (resource.plural === 'projectrequests') return verb === 'list' || options.selfProvisioning();
    if (resource.group === 'authorization.k8s.io' || resource.group === 'authentication.k8s.io') return true;
    if (resource.plural === 'users') return ask.name === '~';
    if (resource.plural === 'projects' && ['list', 'watch'].includes(verb)) return true;
    if (options.observers.includes(user) && READS.includes(verb) && resource.plural !== 'secrets') return true;
    const place = resource.plural === 'projects' || resource.plural === 'namespaces' ? ask.name : namespace;
    if (place === undefined) return false;
    if (place === 'openshift' && READS.includes(verb))
      return ['imagestreams', 'imagestreamtags', 'imagestreamimages', 'templates'].includes(resource.plural);
    return rolesOf(cluster, user, place).some((role) => allows(role, ask));
  };

  return {
    may,
    demand(ask) {
      if (!may(ask)) throw refusal(ask);
    },
    deny(ask) {
      denied.add(ask);
      return () => denied.delete(ask);
    },
    groups: (user) =>
      user === 'system:anonymous' ? ['system:unauthenticated'] : ['system:authenticated:oauth', 'system:authenticated'],
  };
}

function rolesOf(cluster: Cluster, user: string, namespace: string): string[] {
  return cluster
    .list('rolebindings', namespace)
    .filter((binding) =>
      ((binding['subjects'] as { kind: string; name: string }[]) ?? []).some(
        (one) => one.kind === 'User' && one.name === user,
      ),
    )
    .map((binding: Obj) => String(at(binding, 'roleRef', 'name')));
}

const KNOWN = new Set([
  'namespaces',
  'projects',
  'configmaps',
  'secrets',
  'services',
  'serviceaccounts',
  'pods',
  'persistentvolumeclaims',
  'resourcequotas',
  'events',
  'deployments',
  'replicasets',
  'endpointslices',
  'rolebindings',
  'imagestreams',
  'imagestreamtags',
  'imagestreamimages',
  'buildconfigs',
  'builds',
  'routes',
  'templates',
  'processedtemplates',
]);

function allows(role: string, { verb, resource }: Ask): boolean {
  if (!KNOWN.has(resource.plural)) return false;
  if (role === 'view') return READS.includes(verb) && resource.plural !== 'secrets';
  if (role === 'edit' && resource.plural === 'rolebindings') return READS.includes(verb);
  return READS.includes(verb) || !KEPT.includes(resource.plural);
}

export function refusal({ user, verb, resource, subresource, namespace, name }: Ask): Refusal {
  const what = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  // The authorizer takes a namespace's or project's own name for the namespace.
  const place = ['projects', 'namespaces'].includes(resource.plural) && name ? name : namespace;
  const scope = place ? `in the namespace "${place}"` : 'at the cluster scope';
  return forbidden(
    resource,
    name,
    `User "${user}" cannot ${verb} resource "${what}" in API group "${resource.group}" ${scope}`,
  );
}

export function forbiddenPath(user: string, verb: string, path: string): Refusal {
  return status(403, 'Forbidden', `forbidden: User "${user}" cannot ${verb} path "${path}"`, {});
}
