import { randomBytes } from 'node:crypto';
import type { Cluster } from './cluster.js';
import { type DeleteOptions, deleteObject } from './deletion.js';
import { applyOnto, noteUpdate } from './fields.js';
import { clone, type Json, type Obj } from './objects.js';
import { jsonPatch, mergePatch, readYaml, strategicPatch } from './patches.js';
import { badRequest, exists, forbidden, invalid, modified, notFound, required, status } from './refusals.js';
import { type Answer, bodyOf, checkOptions, type Request, readObject } from './request.js';
import { apiVersionOf, type Resource } from './resources.js';
import { metadataRules } from './rules.js';
import { examine, type Finding, known } from './schema.js';
import { fieldMatcher, labelMatcher } from './selectors.js';
import { resolveLocal } from './triggers.js';

export async function create(cluster: Cluster, request: Request, resource: Resource): Promise<Answer> {
  const { query, namespace } = request;
  checkOptions(query, 'CreateOptions');
  const object = readObject(
    await bodyOf(request.incoming),
    resource,
    request.incoming.headers['content-type'] ?? '',
    (text) => readYaml(text, false),
  );
  const { metadata } = object;
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { clean, headers } = decode(object, resource, query);
  if (resource.namespaced) demandNamespace(cluster, namespace ?? '', resource, metadata.name);
  const fresh: Obj = { ...clean, metadata: { ...clean.metadata, ...(namespace === undefined ? {} : { namespace }) } };
  if (!fresh.metadata.name && fresh.metadata.generateName)
    fresh.metadata.name = `${fresh.metadata.generateName}${suffix()}`;
  if (fresh.metadata.name && cluster.read(resource.plural, namespace, fresh.metadata.name))
    throw exists(resource, fresh.metadata.name);
  delete fresh.metadata.managedFields;
  fresh.metadata.name ??= '';
  if (resource.statusApart) delete fresh.status;
  settle(fresh, undefined, resource);
  noteUpdate(undefined, fresh, resource.type, managerOf(request));
  return { code: 201, body: store(cluster, fresh, resource, query), headers };
}

export async function update(cluster: Cluster, request: Request, resource: Resource, name: string): Promise<Answer> {
  checkOptions(request.query, 'UpdateOptions');
  const object = readObject(
    await bodyOf(request.incoming),
    resource,
    request.incoming.headers['content-type'] ?? '',
    (text) => readYaml(text, false),
  );
  const { clean, headers } = decode(object, resource, request.query);
  const before = cluster.read(resource.plural, request.namespace, name);
  if (!before) throw notFound(resource, name);
  return { code: 200, body: write(cluster, request, resource, before, clean), headers };
}

export async function patch(cluster: Cluster, request: Request, resource: Resource, name: string): Promise<Answer> {
  checkOptions(request.query, 'PatchOptions');
  const type = (request.incoming.headers['content-type'] ?? '').split(';')[0]?.trim();
  const text = await bodyOf(request.incoming);
  if (type === 'application/apply-patch+yaml') return apply(cluster, request, resource, name, text);
  const how = {
    'application/merge-patch+json': (before: Obj) => mergePatch(before, JSON.parse(text)),
    'application/strategic-merge-patch+json': (before: Obj) => strategicPatch(before, JSON.parse(text), resource.type),
    'application/json-patch+json': (before: Obj) => jsonPatch(before as Json, JSON.parse(text)),
  }[type ?? ''];
  if (!how) throw status(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  const before = cluster.read(resource.plural, request.namespace, name);
  if (!before) throw notFound(resource, name);
  const { clean, headers } = decode(how(before) as Obj, resource, request.query);
  return { code: 200, body: write(cluster, request, resource, before, clean), headers };
}

function apply(cluster: Cluster, request: Request, resource: Resource, name: string, text: string): Answer {
  const { query, namespace } = request;
  const manager = query.get('fieldManager');
  if (!manager)
    throw invalid('meta.k8s.io', 'PatchOptions', '', [required('fieldManager', 'is required for apply patch')]);
  const object = readYaml(text, query.get('fieldValidation') === 'Strict') as Obj;
  const given = object.metadata?.name ?? '';
  if (given !== name)
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  if (object.apiVersion !== apiVersionOf(resource) || object.kind !== resource.kind) {
    throw badRequest(`invalid object type: ${object.apiVersion}, Kind=${object.kind ?? ''}`);
  }
  if (object.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  demandTyped(object, resource, name);
  if (resource.namespaced) demandNamespace(cluster, namespace ?? '', resource, name);
  const before = cluster.read(resource.plural, namespace, name);
  const version = object.metadata.resourceVersion;
  if (before && version !== undefined && version !== before.metadata.resourceVersion) throw modified(resource, name);
  const live = before && clone(before);
  const applied = { ...object, metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) } };
  if (resource.statusApart) delete applied.status;
  const result = applyOnto(live, applied, resource.type, manager, query.get('force') === 'true');
  if (namespace !== undefined) result.metadata.namespace = namespace;
  settle(result, before, resource);
  resolveLocal(cluster, result);
  return { code: before ? 200 : 201, body: store(cluster, result, resource, query) };
}

/** An apply names its faults as a merge does, and calls them its own. */
function demandTyped(object: Obj, resource: Resource, name: string): void {
  const findings = examine(object, resource.type);
  const title = `(/${name}; ${apiVersionOf(resource)}, Kind=${resource.kind})`;
  if (findings.length > 0) {
    const texts = findings.map(({ merged, problem, expected, got }) =>
      problem === 'unknown' ? `${merged}: field not declared in schema` : `${merged}: expected ${expected}, got ${got}`,
    );
    const list = texts.length === 1 ? ` ${texts[0]}` : ` errors:\n${texts.map((one) => `  ${one}`).join('\n')}`;
    throw status(500, undefined, `failed to create typed patch object ${title}:${list}`);
  }
  if (resource.kind !== 'Secret') return;
  for (const value of Object.values(object.data ?? {})) {
    const bad = /[^A-Za-z0-9+/=]/.exec(value)?.index;
    if (bad === undefined) continue;
    const long = `(/${name}; /v1, Kind=Secret)`;
    throw status(
      500,
      undefined,
      `failed to convert new object ${long} to proper version: unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte ${bad}`,
    );
  }
}

/** Unknown fields are refused, told or dropped, as the request wants. */
function decode(
  object: Obj,
  resource: Resource,
  query: URLSearchParams,
): { clean: Obj; headers: Record<string, string> } {
  const findings = examine(object, resource.type);
  const typed = findings.find((one) => one.problem === 'type');
  if (typed)
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${goWords(typed, resource)}`,
    );
  const unknown = findings.filter((one) => one.problem === 'unknown').map(({ path }) => `unknown field "${path}"`);
  if (unknown.length > 0 && query.get('fieldValidation') === 'Strict') {
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: strict decoding error: ${unknown.join(', ')}`,
    );
  }
  const clean = unknown.length === 0 ? clone(object) : (known(object, resource.type) as Obj);
  const warning = unknown.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
  return { clean, headers: warning === '' ? {} : { warning } };
}

function goWords({ path, expected }: Finding, resource: Resource): string {
  const words: Record<string, string> = { 'numeric (int or float)': 'int32', string: 'string', boolean: 'bool' };
  const holder = path.startsWith('spec.') ? `${resource.kind}Spec` : resource.kind;
  return `json: cannot unmarshal string into Go struct field ${holder}.${path} of type ${words[expected ?? ''] ?? expected}`;
}

/** A write over what is there: what the server keeps stays. */
export function write(
  cluster: Cluster,
  request: Request,
  resource: Resource,
  before: Obj,
  wanted: Obj,
  subresource?: string,
): Obj {
  const version = wanted.metadata.resourceVersion;
  const { name } = before.metadata;
  if (version !== undefined && version !== before.metadata.resourceVersion) throw modified(resource, name);
  const { labels, annotations, finalizers, ownerReferences } = wanted.metadata;
  const { labels: _, annotations: __, finalizers: ___, ownerReferences: ____, ...kept } = before.metadata;
  const after: Obj = clone({
    ...wanted,
    metadata: {
      ...kept,
      ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
      ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ...(ownerReferences ? { ownerReferences } : {}),
    },
  });
  if (resource.statusApart && before.status !== undefined) after.status = clone(before.status);
  settle(after, before, resource);
  noteUpdate(before, after, resource.type, managerOf(request, subresource), subresource);
  return store(cluster, after, resource, request.query);
}

function settle(object: Obj, before: Obj | undefined, resource: Resource): void {
  resource.setDefaults(object, before);
  const causes = [...metadataRules(resource.kind, object), ...resource.rules(object, before)];
  if (causes.length > 0) throw invalid(resource.group, resource.kind, object.metadata.name, causes);
}

function store(cluster: Cluster, object: Obj, resource: Resource, query: URLSearchParams): Obj {
  if (query.get('dryRun') !== 'All') return cluster.replace(resource, object);
  const shown = clone(object);
  shown.metadata.uid ??= '00000000-0000-4000-8000-000000000000';
  shown.metadata.creationTimestamp ??= `${new Date().toISOString().slice(0, 19)}Z`;
  return shown;
}

/** A scale request that names nobody leaves the field without an owner. */
function managerOf({ query, incoming }: Request, subresource?: string): string | undefined {
  const agent = incoming.headers['user-agent']?.split('/')[0];
  return query.get('fieldManager') ?? agent ?? (subresource === undefined ? 'unknown' : undefined);
}

function demandNamespace(cluster: Cluster, namespace: string, resource: Resource, name: string): void {
  const found = cluster.read('namespaces', undefined, namespace);
  if (!found) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace);
  if (found.status?.['phase'] !== 'Terminating') return;
  if (cluster.read(resource.plural, namespace, name)) return;
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  throw forbidden(
    resource,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [cause],
  );
}

export async function remove(cluster: Cluster, request: Request, resource: Resource, name: string): Promise<Answer> {
  const options = await deleteOptions(request);
  const found = cluster.read(resource.plural, request.namespace, name);
  if (!found) throw notFound(resource, name);
  const wanted = options.preconditions?.uid;
  const { uid } = found.metadata;
  if (wanted !== undefined && wanted !== uid) {
    const text = `Operation cannot be fulfilled on ${resource.kind} "${name}": the UID in the precondition (${wanted}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw status(409, 'Conflict', text, { name, kind: resource.kind });
  }
  const left = deleteObject(cluster, resource.plural, found, options);
  return { code: 200, body: left ?? success(resource, name, uid) };
}

export function success(resource: Resource, name: string, uid: string | undefined): Json {
  const details = { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

export async function removeCollection(cluster: Cluster, request: Request, resource: Resource): Promise<Answer> {
  const options = await deleteOptions(request);
  const labels = labelMatcher(request.query.get('labelSelector'));
  const fields = fieldMatcher(resource.plural, request.query.get('fieldSelector'));
  const items = cluster.list(resource.plural, request.namespace).filter((one) => labels(one) && fields(one));
  const resourceVersion = String(cluster.version);
  for (const item of items) deleteObject(cluster, resource.plural, item, options);
  const shown = items.map(({ kind: _, apiVersion: __, ...rest }) => rest);
  return {
    code: 200,
    body: {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion },
      items: shown,
    },
  };
}

async function deleteOptions({ incoming, query }: Request): Promise<DeleteOptions> {
  const text = await bodyOf(incoming);
  const options = (text === '' ? {} : JSON.parse(text)) as DeleteOptions;
  const policy = query.get('propagationPolicy');
  const grace = query.get('gracePeriodSeconds');
  if (policy !== null) options.propagationPolicy = policy as 'Background';
  if (grace !== null) options.gracePeriodSeconds = Number(grace);
  return options;
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Five characters, as servers append them. */
export function suffix(length = 5): string {
  return [...randomBytes(length)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
}
