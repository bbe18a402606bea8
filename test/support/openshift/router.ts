import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isReady } from './deployments.js';
import type { ClusterNode } from './node.js';
import { at, type Json, now, type Obj } from './objects.js';
import { addressOf } from './pod-status.js';
import { need } from './resources.js';
import { owner, type World } from './world.js';
import { suffix } from './writes.js';

export interface Router {
  port: number;
  close(): Promise<void>;
}

/** The cluster's router: admits routes, and brings requests for their hosts to ready pods. Plain HTTP stands for its TLS. */
export async function startRouter(world: World, node: ClusterNode): Promise<Router> {
  const { cluster, trouble, settings } = world;
  let turn = 0;

  world.control(() => {
    for (const route of cluster.list('routes'))
      if (at(route, 'status', 'ingress') === undefined) world.after(0.5, () => admit(route));
    for (const service of cluster.list('services')) writeEndpoints(service);
  });

  function admit({ metadata }: Obj): void {
    cluster.update('routes', metadata.namespace, metadata.name, (route) => {
      const reason = trouble.routeRefused;
      const host = String(route.spec?.['host']);
      const condition: Json = reason
        ? { type: 'Admitted', status: 'False', reason, message: `route ${host} is refused: ${reason}` }
        : { type: 'Admitted', status: 'True', lastTransitionTime: now() };
      route.status = {
        ingress: [
          {
            host,
            routerName: 'default',
            conditions: [condition],
            wildcardPolicy: 'None',
            routerCanonicalHostname: `router-default.${settings.domain}`,
          },
        ],
      };
    });
  }

  const podsOf = (service: Obj): Obj[] => {
    const wanted = Object.entries((service.spec?.['selector'] ?? {}) as Record<string, string>);
    const pods = cluster.list('pods', service.metadata.namespace);
    return pods.filter(
      (pod) => wanted.length > 0 && wanted.every(([key, value]) => pod.metadata.labels?.[key] === value),
    );
  };

  function writeEndpoints(service: Obj): void {
    const endpoints = podsOf(service)
      .filter((pod) => pod.status?.['podIP'] !== undefined)
      .map((pod) => {
        const isEnding = pod.metadata.deletionTimestamp !== undefined;
        const { name, namespace, uid } = pod.metadata;
        return {
          addresses: [addressOf(pod)],
          conditions: { ready: isReady(pod) && !isEnding, serving: isReady(pod), terminating: isEnding },
          targetRef: { kind: 'Pod', namespace, name, uid },
          nodeName: 'node1',
        };
      });
    const mine = cluster
      .list('endpointslices', service.metadata.namespace)
      .find((one) => one.metadata.ownerReferences?.[0]?.uid === service.metadata.uid);
    const ports = ((service.spec?.['ports'] as Json[]) ?? []).map(({ name, protocol, port }) => ({
      name,
      protocol,
      port,
    }));
    const labels = {
      ...service.metadata.labels,
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      'kubernetes.io/service-name': service.metadata.name,
    };
    const { name, namespace = '' } = service.metadata;
    cluster.replace(need('endpointslices'), {
      kind: 'EndpointSlice',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: mine?.metadata ?? {
        name: `${name}-${suffix()}`,
        generateName: `${name}-`,
        namespace,
        labels,
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': now() },
        ownerReferences: [owner(service, true)],
      },
      addressType: 'IPv4',
      endpoints,
      ports,
    });
  }

  /** Port on this machine of a pod that answers for the host. */
  function target(host: string): number | undefined {
    const route = cluster
      .list('routes')
      .find(
        (one) => one.spec?.['host'] === host && at(one, 'status', 'ingress', 0, 'conditions', 0, 'status') === 'True',
      );
    const service =
      route && cluster.read('services', route.metadata.namespace, String(at(route, 'spec', 'to', 'name')));
    if (!service) return undefined;
    const wanted = at(service, 'spec', 'ports', 0, 'targetPort');
    const ready = podsOf(service).filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
    turn += 1;
    const pod = ready[turn % Math.max(1, ready.length)];
    const ports = (at(pod, 'spec', 'containers', 0, 'ports') ?? []) as { name?: string; containerPort: number }[];
    const port = typeof wanted === 'number' ? wanted : ports.find((one) => one.name === wanted)?.containerPort;
    return pod && port !== undefined ? node.address(pod.metadata.uid ?? '', port) : undefined;
  }

  function serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const port = target((incoming.headers.host ?? '').split(':')[0] ?? '');
    if (port === undefined) {
      outgoing.writeHead(503).end('Application is not available');
      return;
    }
    const { method, url, headers } = incoming;
    const forward = send({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    incoming.pipe(forward);
  }

  const server: Server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
