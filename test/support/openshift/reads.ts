import type { Change, Cluster } from './cluster.js';
import { clone, type Json, type Obj } from './objects.js';
import { badRequest, invalid, notFound, status } from './refusals.js';
import { type Answer, type Request, WRITTEN } from './request.js';
import { apiVersionOf, type Resource } from './resources.js';
import { fieldMatcher, labelMatcher, type Matcher } from './selectors.js';

export function get(cluster: Cluster, request: Request, resource: Resource, name: string): Answer {
  const found = cluster.read(resource.plural, request.namespace, name);
  if (!found) throw notFound(resource, name);
  return { code: 200, body: found };
}

const bare = ({ kind: _, apiVersion: __, ...rest }: Obj): Json => rest;

export async function list(cluster: Cluster, request: Request, resource: Resource, patience: number): Promise<Answer> {
  const { query } = request;
  await demandVersion(cluster, query, patience);
  const matches = matcher(request, resource);
  const { version, items, start } = pageStart(cluster, request, resource, matches);
  const limit = Number(query.get('limit') ?? 0) || items.length;
  const page = items.slice(start, start + limit);
  const left = items.length - start - page.length;
  const isSelected = query.has('labelSelector') || query.has('fieldSelector');
  const metadata = {
    resourceVersion: String(version),
    ...(left > 0
      ? { continue: Buffer.from(JSON.stringify({ version, after: start + limit })).toString('base64url') }
      : {}),
    ...(left > 0 && !isSelected ? { remainingItemCount: left } : {}),
  };
  const accept = request.incoming.headers.accept ?? '';
  if (accept.includes('as=Table')) return { code: 200, body: table(page, metadata) };
  if (accept.includes('as=PartialObjectMetadataList')) {
    const only = page.map(({ metadata: meta }) => ({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: meta,
    }));
    return {
      code: 200,
      body: { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: only },
    };
  }
  return {
    code: 200,
    body: { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items: page.map(bare) },
  };
}

/** Pages are cut from the list as it was when the first one was asked for; this server keeps only the newest. */
function pageStart(cluster: Cluster, { query, namespace }: Request, resource: Resource, matches: Matcher) {
  const items = cluster.list(resource.plural, namespace).filter(matches);
  const token = query.get('continue');
  if (token === null) return { version: cluster.version, items, start: 0 };
  try {
    const { version, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as {
      version: number;
      after: number;
    };
    if (version <= cluster.forgotten)
      throw status(410, 'Expired', 'The provided continue parameter is too old to display a consistent list result.');
    return { version, items, start: after };
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw badRequest(
        `invalid continue token: continue key is not valid: invalid character '\\u009e' looking for beginning of value`,
      );
    }
    throw error;
  }
}

async function demandVersion(cluster: Cluster, query: URLSearchParams, patience: number): Promise<void> {
  const wanted = query.get('resourceVersion');
  if (wanted === null || wanted === '' || wanted === '0') return;
  if (query.get('resourceVersionMatch') === 'Exact' && Number(wanted) <= cluster.forgotten) {
    throw status(410, 'Expired', 'The resourceVersion for the provided list is too old.');
  }
  if (Number(wanted) <= cluster.version) return;
  await new Promise((resolve) => setTimeout(resolve, patience));
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' };
  throw status(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${wanted}, current: ${cluster.version}`,
    { causes: [cause], retryAfterSeconds: 1 },
    { 'retry-after': '1' },
  );
}

function matcher({ query }: Request, resource: Resource): Matcher {
  const labels = labelMatcher(query.get('labelSelector'));
  const fields = fieldMatcher(resource.plural, query.get('fieldSelector'));
  return (object) => labels(object) && fields(object);
}

function table(items: readonly Obj[], metadata: Json): Json {
  const column = (name: string, format = '') => ({ name, type: 'string', format, description: name, priority: 0 });
  const rows = items.map((item) => ({
    cells: [item.metadata.name, Object.keys(item.data ?? {}).length, '0s'],
    object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: item.metadata },
  }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [column('Name', 'name'), column('Data'), column('Age')],
    rows,
  };
}

export interface WatchControl {
  /** Ends when the server closes. */
  signal: AbortSignal;
  /** Milliseconds that a second of the cluster takes. */
  second: number;
  /** Hears of each open watch: how to cut it. */
  opened(cut: () => void): void;
}

/** Changes as lines of JSON, until the time is over or the client goes. */
export function watch(cluster: Cluster, request: Request, resource: Resource, control: WatchControl): typeof WRITTEN {
  const { query, response } = request;
  if (query.get('sendInitialEvents') !== null) {
    const text = 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';
    const cause = { reason: 'FieldValueForbidden', message: `Forbidden: ${text}`, field: 'sendInitialEvents' };
    throw invalid('meta.k8s.io', 'ListOptions', '', [cause]);
  }
  const given = query.get('resourceVersion');
  if (given !== null && !/^\d*$/.test(given)) {
    throw status(
      500,
      undefined,
      `resourceVersion: Invalid value: "${given}": strconv.ParseUint: parsing "${given}": invalid syntax`,
    );
  }
  const matches = matcher(request, resource);
  const isHere = (object: Obj) => request.namespace === undefined || object.metadata.namespace === request.namespace;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const send = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);
  const tell = (change: Change) => {
    if (change.resource.plural !== resource.plural || !isHere(change.object)) return;
    const is = matches(change.object);
    const was = change.before ? matches(change.before) : change.type === 'DELETED' && is;
    if (change.type === 'DELETED' ? was : was && !is) send('DELETED', change.object);
    else if (is) send(was ? 'MODIFIED' : 'ADDED', change.object);
  };

  const from = Number(given ?? 0);
  if (from > 0 && from < cluster.forgotten) {
    const text = `too old resource version: ${from} (${cluster.forgotten})`;
    send('ERROR', {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: text,
      reason: 'Expired',
      code: 410,
    });
    response.end();
    return WRITTEN;
  }
  if (from === 0) {
    for (const object of cluster.list(resource.plural, request.namespace).filter(matches)) send('ADDED', object);
  } else for (const change of cluster.since(from, resource.plural)) tell(change);
  const off = cluster.onChange(tell);

  const seconds = Number(query.get('timeoutSeconds') ?? 0) || 1800;
  const bookmark = () => {
    if (query.get('allowWatchBookmarks') !== 'true') return;
    const metadata = { resourceVersion: String(cluster.version), creationTimestamp: null };
    send('BOOKMARK', clone({ kind: resource.kind, apiVersion: apiVersionOf(resource), metadata }));
  };
  const marks = setInterval(bookmark, 60 * control.second);
  const end = () => response.end();
  const timer = setTimeout(() => {
    bookmark();
    end();
  }, seconds * control.second);
  control.signal.addEventListener('abort', end, { once: true });
  control.opened(() => response.destroy());
  response.once('close', () => {
    off();
    clearInterval(marks);
    clearTimeout(timer);
    control.signal.removeEventListener('abort', end);
  });
  return WRITTEN;
}
