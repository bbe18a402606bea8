import type { Cluster } from './cluster.js';
import { at, type Json, type Obj } from './objects.js';
import { mergePatch } from './patches.js';
import { invalid, notFound, wrong } from './refusals.js';
import { type Answer, bodyOf, type Request } from './request.js';
import { need } from './resources.js';
import { write } from './writes.js';

/** `deployments/x/scale` */
export async function scale(cluster: Cluster, request: Request, name: string): Promise<Answer> {
  const deployments = need('deployments');
  const found = cluster.read('deployments', request.namespace, name);
  if (!found) throw notFound(deployments, name);
  if (request.method === 'GET') return { code: 200, body: shown(found) };
  const body = JSON.parse(await bodyOf(request.incoming)) as Json;
  const wanted = request.method === 'PATCH' ? mergePatch(shown(found), body) : body;
  const replicas = Number(at(wanted, 'spec', 'replicas') ?? 0);
  if (replicas < 0)
    throw invalid('autoscaling', 'Scale', name, [
      wrong('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  const { resourceVersion: _, ...metadata } = found.metadata;
  const changed = { ...found, metadata, spec: { ...found.spec, replicas } };
  return { code: 200, body: shown(write(cluster, request, deployments, found, changed, 'scale')) };
}

function shown({ metadata, spec, status }: Obj): Json {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const replicas = Number(spec?.['replicas'] ?? 0);
  const labels = (at(spec, 'selector', 'matchLabels') ?? {}) as Record<string, string>;
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: Number(status?.['replicas'] ?? 0), selector },
  };
}
