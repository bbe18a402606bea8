import type { Json } from './objects.js';
import { type Answer, bodyOf, type Request } from './request.js';
import { apiVersionOf, RESOURCES } from './resources.js';
import type { Rights } from './users.js';

interface Attributes {
  namespace?: string;
  verb?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  name?: string;
}

export async function accessReview(rights: Rights, request: Request): Promise<Answer> {
  const body = JSON.parse(await bodyOf(request.incoming)) as { spec: { resourceAttributes: Attributes } };
  const { namespace, verb = '', group = '', resource = '', subresource, name } = body.spec.resourceAttributes;
  const allowed = rights.may({
    user: request.user,
    verb,
    resource: { group, plural: resource, kind: resource },
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    // A project is its own namespace.
    ...(name === undefined
      ? resource === 'projects' && namespace !== undefined
        ? { name: namespace }
        : {}
      : { name }),
  });
  const reason = 'RBAC: allowed by a binding of the test';
  return {
    code: 201,
    body: {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: { creationTimestamp: null },
      spec: body.spec,
      status: allowed ? { allowed, reason } : { allowed },
    },
  };
}

export function subjectReview(rights: Rights, { user }: Request): Answer {
  const extra = { 'scopes.authorization.openshift.io': ['user:full'] };
  const userInfo = { username: user, uid: uidOf(user), groups: rights.groups(user), extra };
  const metadata = { creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z` };
  return {
    code: 201,
    body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata, status: { userInfo } },
  };
}

export function whoAmI(rights: Rights, { user }: Request): Answer {
  const metadata = { name: user, uid: uidOf(user), resourceVersion: '812', creationTimestamp: '2026-01-01T00:00:00Z' };
  const groups = [...rights.groups(user)].reverse();
  return {
    code: 200,
    body: { kind: 'User', apiVersion: 'user.openshift.io/v1', metadata, identities: [`htpasswd:${user}`], groups },
  };
}

function uidOf(user: string): string {
  return `${Buffer.from(user.padEnd(4, '0')).toString('hex').slice(0, 8)}-95e1-43ca-a89c-2fdec9dadb3e`;
}

export const VERSION: Json = {
  major: '1',
  minor: '33',
  emulationMajor: '1',
  emulationMinor: '33',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '32',
  gitVersion: 'v1.33.13',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'go1.24.4',
  compiler: 'gc',
  platform: 'linux/amd64',
};

export function groupList(): Json {
  const names = [...new Set(RESOURCES.map((one) => one.group).filter(Boolean))];
  const groups = names.map((name) => {
    const version = { groupVersion: `${name}/v1`, version: 'v1' };
    return { name, versions: [version], preferredVersion: version };
  });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** Undefined: there is no such group. */
export function resourceList(group: string, version: string): Json | undefined {
  const found = RESOURCES.filter((one) => one.group === group && one.version === version);
  const [first] = found;
  if (!first) return undefined;
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
  const resources = found.map((one) => ({
    name: one.plural,
    singularName: one.kind.toLowerCase(),
    namespaced: one.namespaced,
    kind: one.kind,
    verbs,
    shortNames: [],
    categories: ['all'],
    storageVersionHash: 'AAAAAAAAAAA=',
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(first), resources };
}
