import { constraints } from './admission.js';
import type { Builds } from './builds.js';
import { buildLog, podLog } from './logs-api.js';
import type { Namespaces } from './namespaces.js';
import type { ClusterNode } from './node.js';
import { clone, type Json, type Obj } from './objects.js';
import { get, list, type WatchControl, watch } from './reads.js';
import { forbidden, type Named, notAllowed, notFound, status } from './refusals.js';
import { imageStreamImage, imageStreamTag, type Registry } from './registry.js';
import { type Answer, bodyOf, type Request, verbOf, type WRITTEN } from './request.js';
import { need, type Resource, resourceOf } from './resources.js';
import { accessReview, subjectReview, whoAmI } from './reviews.js';
import { scale } from './scale.js';
import { labelMatcher } from './selectors.js';
import type { Rights } from './users.js';
import type { World } from './world.js';
import { create, patch, remove, removeCollection, update } from './writes.js';

export interface ApiParts {
  world: World;
  rights: Rights;
  registry: Registry;
  namespaces: Namespaces;
  builds: Builds;
  node: ClusterNode;
  watches: WatchControl;
}

export type Reply = Answer | typeof WRITTEN;

/** One request for a resource, after it was known who asks. */
export async function answerTo(parts: ApiParts, request: Request): Promise<Reply> {
  const { rights } = parts;
  const { plural, group, name, namespace, subresource, user } = request;
  const resource = resourceOf(group, plural);
  const named: Named = resource ?? { group, plural, kind: plural };
  if (request.method === 'PUT' && name === undefined) throw notAllowed();
  if (request.method === 'POST' && name !== undefined && subresource === undefined) throw notAllowed();
  const verb = subresource === 'log' ? 'get' : verbOf(request);
  rights.demand({
    ...{ user, verb, resource: named },
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  });
  if (!acceptable(request)) {
    const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
    const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
    throw status(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${types}, ${streams}`, {});
  }
  const special = await specialAnswer(parts, request);
  if (special) return special;
  if (!resource) throw status(404, 'NotFound', 'the server could not find the requested resource', {});
  return plainAnswer(parts, request, resource);
}

function acceptable({ incoming, subresource }: Request): boolean {
  const accept = incoming.headers.accept;
  if (!accept || subresource === 'log') return true;
  return accept.split(',').some((one) => /^(\*\/\*|application\/(json|yaml|\*))/.test(one.trim()));
}

async function plainAnswer(
  { world: { cluster, settings }, watches }: ApiParts,
  request: Request,
  resource: Resource,
): Promise<Reply> {
  const { method, name, query } = request;
  if (method === 'GET' && query.get('watch') === 'true') return watch(cluster, request, resource, watches);
  if (name === undefined) {
    if (method === 'GET') return list(cluster, request, resource, 3 * settings.second);
    if (method === 'POST') return create(cluster, request, resource);
    return removeCollection(cluster, request, resource);
  }
  if (method === 'GET') return get(cluster, request, resource, name);
  if (method === 'PUT') return update(cluster, request, resource, name);
  if (method === 'PATCH') return patch(cluster, request, resource, name);
  return remove(cluster, request, resource, name);
}

/** What is no plain object of the store. Undefined: it is one. */
async function specialAnswer(parts: ApiParts, request: Request): Promise<Reply | undefined> {
  const { world, rights, builds, namespaces, node } = parts;
  const { method, plural, name = '', namespace = '', subresource } = request;
  switch (subresource === undefined ? plural : `${plural}/${subresource}`) {
    case 'selfsubjectaccessreviews':
      return accessReview(rights, request);
    case 'selfsubjectreviews':
      return subjectReview(rights, request);
    case 'users':
      return whoAmI(rights, request);
    case 'projectrequests':
      if (method === 'POST') return namespaces.request(request);
      return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
    case 'projects':
      return projectAnswer(namespaces, rights, request);
    case 'imagestreamtags':
      return imageTagAnswer(parts, request);
    case 'imagestreamimages': {
      const found = imageStreamImage(world, parts.registry, namespace, name);
      if (!found) throw notFound(need('imagestreamimages'), name);
      return { code: 200, body: found };
    }
    case 'processedtemplates':
      return processTemplate(request);
    case 'buildconfigs/instantiatebinary':
      return builds.instantiate(request, name);
    case 'buildconfigs/instantiate':
      await bodyOf(request.incoming);
      return builds.instantiateEmpty(namespace, name);
    case 'builds/log':
      return buildLog(world, request, name, builds.log(namespace, name));
    case 'pods/log':
      return podLog(world, node, request, name);
    case 'deployments/scale':
      return scale(world.cluster, request, name);
    case 'rolebindings':
      if (method === 'POST') return grant(parts, request);
      return undefined;
    case 'pods':
      if (method === 'POST' && request.name === undefined) return createPod(parts, request);
      return undefined;
    default:
      if (subresource !== undefined)
        throw status(404, 'NotFound', 'the server could not find the requested resource', {});
      if (plural === 'namespaces' && request.name !== undefined && method === 'DELETE')
        return namespaces.deleteProject(name);
      return undefined;
  }
}

function projectAnswer(namespaces: Namespaces, rights: Rights, request: Request): Promise<Answer> | Answer {
  const { method, name, query, user } = request;
  const resource = need('projects');
  if (name === undefined) {
    const labels = labelMatcher(query.get('labelSelector'));
    const mine = namespaces
      .projects()
      .filter((one) => rights.may({ user, verb: 'get', resource, name: one.metadata.name }));
    const items = mine.filter(labels).map(({ kind: _, apiVersion: __, ...rest }) => rest);
    return { code: 200, body: { kind: 'ProjectList', apiVersion: 'project.openshift.io/v1', metadata: {}, items } };
  }
  const found = namespaces.project(name);
  if (!found) throw notFound(resource, name);
  if (method === 'GET') return { code: 200, body: found };
  if (method === 'PATCH') return namespaces.patchProject(request, name);
  if (method === 'DELETE') return namespaces.deleteProject(name);
  throw notAllowed();
}

async function imageTagAnswer({ world, registry }: ApiParts, request: Request): Promise<Answer> {
  const { method, namespace = '' } = request;
  const resource = need('imagestreamtags');
  if (method === 'POST') {
    const body = JSON.parse(await bodyOf(request.incoming)) as Obj;
    const from = String((body['tag'] as { from?: { name?: string } })?.from?.name);
    const source = imageStreamTag(world, registry, namespace, from);
    if (!source) throw notFound(resource, from);
    const [stream = '', tag = ''] = body.metadata.name.split(':');
    world.cluster.update('imagestreams', namespace, stream, (object) => {
      const tags = (object.spec?.['tags'] ?? []) as Json[];
      const reference = {
        name: tag,
        annotations: null,
        from: { kind: 'ImageStreamTag', name: from },
        generation: 4,
        importPolicy: { importMode: 'Legacy' },
        referencePolicy: { type: 'Source' },
      };
      object.spec = { ...object.spec, tags: [...tags, reference] };
      const known = (object.status?.['tags'] ?? []) as { tag: string; items: unknown[] }[];
      const items = clone(known.find((one) => one.tag === from.split(':')[1])?.items ?? []);
      object.status = { ...object.status, tags: [...known, { tag, items }] };
    });
    return { code: 201, body: imageStreamTag(world, registry, namespace, body.metadata.name) };
  }
  const found = imageStreamTag(world, registry, namespace, request.name ?? '');
  if (!found) throw notFound(resource, request.name ?? '');
  return { code: 200, body: found };
}

/** Nobody may give more than he has. */
async function grant({ world, rights }: ApiParts, request: Request): Promise<Answer> {
  const resource = need('rolebindings');
  const everything = { verb: '*', resource: { group: '*', plural: '*', kind: '*' }, user: request.user };
  const answer = await create(world.cluster, asTrial(request), resource);
  const binding = answer.body as Obj;
  if ((binding['roleRef'] as { name: string }).name === 'cluster-admin' && !rights.may(everything)) {
    const groups = rights
      .groups(request.user)
      .map((one) => JSON.stringify(one))
      .join(' ');
    const all = '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}';
    const why = `user "${request.user}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${all}`;
    throw forbidden(resource, binding.metadata.name, why);
  }
  delete binding.metadata.uid;
  return { ...answer, body: world.cluster.insert(resource, binding) };
}

/** The same request, without effect. */
function asTrial(request: Request): Request {
  return { ...request, query: new URLSearchParams([...request.query, ['dryRun', 'All']]) };
}

/** Fills `${PARAMETER}` in, and draws what parameters want to have drawn. */
async function processTemplate({ incoming }: Request): Promise<Answer> {
  const template = JSON.parse(await bodyOf(incoming)) as {
    parameters?: { name: string; value?: string; generate?: string }[];
    objects?: unknown[];
  };
  const parameters = (template.parameters ?? []).map((one) => ({
    ...one,
    value: one.value ?? (one.generate ? Math.random().toString(36).slice(2, 14) : ''),
  }));
  const fill = (text: string) => parameters.reduce((done, one) => done.replaceAll(`\${${one.name}}`, one.value), text);
  const objects = JSON.parse(fill(JSON.stringify(template.objects ?? []))) as unknown[];
  return { code: 201, body: { ...template, parameters, objects } };
}

async function createPod({ world }: ApiParts, request: Request): Promise<Answer> {
  const answer = await create(world.cluster, asTrial(request), need('pods'));
  const pod = answer.body as Obj;
  const refused = constraints(pod);
  if (refused !== undefined) throw forbidden(need('pods'), pod.metadata.name, refused.slice(refused.indexOf('unable')));
  delete pod.metadata.uid;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    'openshift.io/scc': 'restricted-v2',
    'security.openshift.io/validated-scc-subject-type': 'user',
  };
  if (request.query.get('dryRun') === 'All') return answer;
  return { ...answer, body: world.cluster.insert(need('pods'), pod) };
}
