import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Json, Obj } from './objects.js';
import { badRequest, invalid, notAllowed, status, unsupported } from './refusals.js';
import { apiVersionOf, type Resource } from './resources.js';

/** A request for a resource, taken apart. */
export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  user: string;
  incoming: IncomingMessage;
  response: ServerResponse;
  group: string;
  version: string;
  namespace?: string;
  plural: string;
  name?: string;
  subresource?: string;
}

export interface Answer {
  code: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** The handler has written the answer itself. */
export const WRITTEN = Symbol('written');

const LARGEST = 3 * 1024 * 1024;
const texts = new WeakMap<IncomingMessage, string>();

/** What `bodyOf` read of a request. */
export function readBody(incoming: IncomingMessage): string | undefined {
  return texts.get(incoming);
}

export async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming) {
    size += (piece as Buffer).length;
    if (size <= LARGEST) pieces.push(piece as Buffer);
  }
  if (size > LARGEST) throw status(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${LARGEST}`);
  const text = Buffer.concat(pieces).toString('utf8');
  texts.set(incoming, text);
  return text;
}

/** `/apis/apps/v1/namespaces/x/deployments/web/scale` */
export function parsePath(
  path: string,
): Pick<Request, 'group' | 'version' | 'namespace' | 'plural' | 'name' | 'subresource'> | undefined {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const [root, ...rest] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : (rest.shift() ?? '');
  const version = rest.shift();
  if (version === undefined || rest.length === 0) return undefined;
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2) {
    rest.shift();
    namespace = rest.shift();
  }
  const [plural, name, ...subresource] = rest;
  if (plural === undefined) return undefined;
  return {
    group,
    version,
    plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource.length === 0 ? {} : { subresource: subresource.join('/') }),
  };
}

export function verbOf({ method, name, query }: Request): string {
  switch (method) {
    case 'GET':
      return query.get('watch') === 'true' ? 'watch' : name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
    default:
      throw notAllowed();
  }
}

/** Refuses options that a server does not know. */
export function checkOptions(query: URLSearchParams, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'): void {
  const dryRun = query.get('dryRun');
  if (dryRun !== null && dryRun !== 'All') {
    throw invalid('meta.k8s.io', kind, '', [unsupported('dryRun', `[]string{${JSON.stringify(dryRun)}}`, ['All'])]);
  }
  const validation = query.get('fieldValidation');
  const known = ['', 'Ignore', 'Strict', 'Warn'];
  if (validation !== null && !known.includes(validation)) {
    throw invalid('meta.k8s.io', kind, '', [unsupported('fieldValidation', JSON.stringify(validation), known)]);
  }
}

/** The object of a POST or PUT. */
export function readObject(
  text: string,
  resource: Resource,
  contentType: string,
  parseYaml: (text: string) => unknown,
): Obj {
  const type = contentType.split(';')[0]?.trim() ?? '';
  const yaml = /yaml$/.test(type);
  if (!yaml && type !== 'application/json' && type !== '') {
    const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
    throw status(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${types}`,
    );
  }
  let value: unknown;
  try {
    value = yaml ? parseYaml(text) : JSON.parse(text);
  } catch {
    const shown = text === '' ? '<empty>' : text;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind; json parse error: unexpected end of JSON input (${shown})`,
    );
  }
  const object = value as Partial<Obj> & Json;
  const kind = object.kind ?? resource.kind;
  if (kind !== resource.kind) {
    const inner = resource.group === '' ? 'core' : resource.group.split('.')[0];
    throw badRequest(
      `${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: converting (${resource.version}.${kind}) to (${inner}.${resource.kind}): unknown conversion`,
    );
  }
  const { kind: _, apiVersion: __, metadata, ...fields } = object;
  return {
    kind,
    apiVersion: apiVersionOf(resource),
    metadata: (metadata ?? { name: '' }) as Obj['metadata'],
    ...fields,
  };
}
