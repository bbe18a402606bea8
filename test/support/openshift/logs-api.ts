import type { BuildLog } from './builds.js';
import type { ClusterNode } from './node.js';
import { at, type Json } from './objects.js';
import { badRequest, invalid, notFound, status, wrong } from './refusals.js';
import { type Request, WRITTEN } from './request.js';
import { need } from './resources.js';
import type { LogLine } from './tenant.js';
import type { World } from './world.js';

/** `pods/x/log` */
export function podLog(world: World, node: ClusterNode, request: Request, name: string): typeof WRITTEN {
  const { query, namespace, incoming } = request;
  if (isPlain(incoming.headers.accept)) {
    const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
    throw status(406, 'NotAcceptable', `only the following media types are accepted: ${types}`);
  }
  const tail = query.get('tailLines');
  if (tail !== null && Number(tail) < 0) {
    throw invalid('', 'PodLogOptions', name, [wrong('tailLines', Number(tail), 'must be greater than or equal to 0')]);
  }
  const pod = world.cluster.read('pods', namespace, name);
  if (!pod) throw notFound(need('pods'), name);
  const names = ((pod.spec?.['containers'] as Json[]) ?? []).map((one) => String(one['name']));
  const container = query.get('container') ?? (names.length === 1 ? names[0] : undefined);
  if (container === undefined)
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`);
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  const life = node.life(pod.metadata.uid ?? '', container);
  const isPrevious = query.get('previous') === 'true';
  if (isPrevious && !life?.previous)
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const waiting = at(life?.state, 'waiting', 'reason') as string | undefined;
  if (!life || (waiting !== undefined && life.log.length === 0)) {
    const why = /Image/.test(waiting ?? '') ? 'trying and failing to pull image' : (waiting ?? 'ContainerCreating');
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${why}`);
  }
  const source = {
    lines: () => (isPrevious ? (life.previous ?? []) : life.log),
    ended: () => life.state['running'] === undefined,
    listeners: life.listeners,
  };
  return writeLines(request, source, 'text/plain');
}

/** `builds/x/log` */
export function buildLog(world: World, request: Request, name: string, log: BuildLog | undefined): typeof WRITTEN {
  if (isPlain(request.incoming.headers.accept)) {
    const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
    throw status(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${types}`, {});
  }
  if (!world.cluster.read('builds', request.namespace, name)) throw notFound(need('builds'), name);
  if (!log) throw badRequest(`build ${name} has no log yet`);
  const source = { lines: () => log.lines, ended: () => log.ended, listeners: log.listeners };
  return writeLines(request, source, 'application/octet-stream');
}

interface Source {
  lines(): readonly LogLine[];
  ended(): boolean;
  listeners: Set<() => void>;
}

function writeLines({ query, response }: Request, source: Source, type: string): typeof WRITTEN {
  const stamps = query.get('timestamps') === 'true';
  const show = (line: LogLine) => `${stamps ? `${line.time} ` : ''}${line.text}\n`;
  const since = query.get('sinceTime')?.slice(0, 19) ?? '';
  const seconds = query.get('sinceSeconds');
  const from = seconds === null ? since : new Date(Date.now() - Number(seconds) * 1000).toISOString().slice(0, 19);
  const fitting = source.lines().filter((line) => line.time.slice(0, 19) >= from);
  const tail = query.get('tailLines');
  const first = tail === null ? fitting : fitting.slice(fitting.length - Math.min(fitting.length, Number(tail)));
  const limit = query.get('limitBytes');
  response.writeHead(200, { 'content-type': type });
  response.flushHeaders();
  const text = first.map(show).join('');
  response.write(limit === null ? text : text.slice(0, Number(limit)));
  let seen = source.lines();
  let written = seen.length;
  if (query.get('follow') !== 'true' || source.ended()) {
    response.end();
    return WRITTEN;
  }
  const more = () => {
    const lines = source.lines();
    // The container began anew: what it writes now is another log.
    if (lines !== seen && lines.length < written) return response.end();
    seen = lines;
    for (const line of lines.slice(written)) response.write(show(line));
    written = lines.length;
    if (source.ended()) response.end();
  };
  source.listeners.add(more);
  response.once('close', () => source.listeners.delete(more));
  return WRITTEN;
}

function isPlain(accept: string | undefined): boolean {
  return accept?.split(',').every((one) => one.trim().startsWith('text/plain')) ?? false;
}
