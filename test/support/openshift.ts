import type { ServerOptions } from 'node:https';
import { createBuilds } from './openshift/builds.js';
import { DOMAIN } from './openshift/defaults.js';
import { collectGarbage } from './openshift/deletion.js';
import { controlDeployments } from './openshift/deployments.js';
import { createNamespaces } from './openshift/namespaces.js';
import { createNode } from './openshift/node.js';
import type { Obj } from './openshift/objects.js';
import { createProcesses } from './openshift/processes.js';
import { addSamples, createRegistry, type Registry } from './openshift/registry.js';
import { need, RESOURCES } from './openshift/resources.js';
import { startRouter } from './openshift/router.js';
import { type Interference, type Seen, startServer } from './openshift/server.js';
import { controlTriggers } from './openshift/triggers.js';
import { createRights, type Rights } from './openshift/users.js';
import { type Trouble, World } from './openshift/world.js';

export type { Interference, Seen } from './openshift/server.js';

export interface FakeOptions {
  /** Milliseconds that a second of the cluster takes. */
  second?: number;
  /** Users that may look at everything. */
  observers?: string[];
  /** Without the usual image streams of namespace openshift. */
  bare?: boolean;
  tls?: ServerOptions;
}

export interface FakeOpenShift {
  url: string;
  domain: string;
  /** By user: alice and bob are ordinary, admin is the administrator. */
  token(user: string): string;
  /** Makes a user's tokens worthless, and gives a new one. */
  expire(user: string): string;
  trouble: Trouble;
  rights: Rights;
  registry: Registry;
  world: World;
  /** May answer in the server's place; asked for each request, newest first. Returns how to take it away. */
  interfere(what: (seen: Seen) => Interference | undefined): () => void;
  /** Hears of every answer. */
  onAnswer(listener: (seen: Seen, code: number, body: unknown) => void): () => void;
  /** Cuts every connection. */
  cut(): void;
  cutWatches(): void;
  /** How many connections were ever opened. */
  connections(): number;
  /** Makes something as somebody else would. */
  add(plural: string, object: Partial<Obj> & { metadata: Obj['metadata'] }): Obj;
  addProject(name: string, user: string, description?: string): Obj;
  /** Everything that somebody made, as `kind namespace/name`; not what the cluster puts into each project by itself. */
  inventory(): string[];
  /** A request through the router, as a browser would send it to the address. */
  visit(address: string | undefined, path?: string): Promise<{ status: number; text: string }>;
  routerPort: number;
  /** Port on this machine behind a port of a pod. */
  podPort(uid: string, port: number): number | undefined;
  close(): Promise<void>;
}

/** A cluster on this machine: API server, controllers, one node, registry and router. State lives in memory. */
export async function startFakeOpenShift(options: FakeOptions = {}): Promise<FakeOpenShift> {
  const world = new World({ second: options.second ?? 20, domain: DOMAIN });
  const { cluster, trouble } = world;
  const registry = createRegistry(world);
  const processes = createProcesses();
  const rights = createRights(cluster, {
    administrators: ['admin'],
    observers: options.observers ?? [],
    selfProvisioning: () => true,
  });
  const namespaces = createNamespaces(world);
  for (const name of ['default', 'openshift']) namespaces.add(name);
  if (!options.bare) addSamples(world, registry);
  const builds = createBuilds(world, registry);
  controlDeployments(world);
  controlTriggers(world);
  const node = createNode(world, registry, processes);
  const router = await startRouter(world, node);
  world.control(() => collectGarbage(cluster));

  const tokens = new Map(['alice', 'bob', 'admin'].map((user) => [`sha256~${user}`, user]));
  const ending = new AbortController();
  const watches = new Set<() => void>();
  const interferers: ((seen: Seen) => Interference | undefined)[] = [];
  const listeners = new Set<(seen: Seen, code: number, body: unknown) => void>();
  const control = {
    signal: ending.signal,
    second: world.settings.second,
    opened: (cut: () => void) => void watches.add(cut),
  };
  const server = await startServer(
    { world, rights, registry, namespaces, builds, node, watches: control },
    {
      tokens,
      passwords: new Map([['alice', 'alice-password']]),
      certificateUsers: options.tls !== undefined,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      interfere: (seen) => interferers.map((one) => one(seen)).find((one) => one !== undefined),
      answered: (seen, code, body) => {
        for (const listener of listeners) listener(seen, code, body);
      },
    },
  );
  const token = (user: string): string => [...tokens].find(([, name]) => name === user)?.[0] ?? '';
  let renewals = 0;

  return {
    url: server.url,
    domain: DOMAIN,
    token,
    expire(user) {
      for (const [text, name] of tokens) if (name === user) tokens.delete(text);
      renewals += 1;
      tokens.set(`sha256~${user}-${renewals}`, user);
      return token(user);
    },
    trouble,
    rights,
    registry,
    world,
    interfere(what) {
      interferers.unshift(what);
      return () => void interferers.splice(interferers.indexOf(what), 1);
    },
    onAnswer(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connections: () => server.connections(),
    cut: () => server.cutAll(),
    cutWatches() {
      for (const cut of watches) cut();
      watches.clear();
    },
    add(plural, object) {
      const resource = need(plural);
      const apiVersion = resource.group === '' ? 'v1' : `${resource.group}/v1`;
      const made = { kind: resource.kind, apiVersion, ...object } as Obj;
      resource.setDefaults(made);
      return cluster.insert(resource, made);
    },
    addProject(name, user, description = '') {
      const made = namespaces.add(name, {
        'openshift.io/description': description,
        'openshift.io/display-name': '',
        'openshift.io/requester': user,
      });
      cluster.insert(need('rolebindings'), {
        kind: 'RoleBinding',
        apiVersion: 'rbac.authorization.k8s.io/v1',
        metadata: { name: 'admin', namespace: name },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      });
      return made;
    },
    inventory() {
      const own = RESOURCES.flatMap(({ plural, kind }) => cluster.list(plural).map((object) => ({ kind, object })));
      return own
        .filter(({ kind, object }) => !isOfCluster(kind, object))
        .map(({ kind, object }) => `${kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`)
        .sort();
    },
    async visit(address, path = '/') {
      const { hostname } = new URL(address ?? '');
      const { request } = await import('node:http');
      return await new Promise((resolve, reject) => {
        const sent = request(
          { host: '127.0.0.1', port: router.port, path, headers: { host: hostname }, agent: false },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (piece: string) => {
              text += piece;
            });
            answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
          },
        );
        sent.on('error', reject).end();
      });
    },
    routerPort: router.port,
    podPort: (uid, port) => node.address(uid, port),
    async close() {
      ending.abort();
      world.close();
      processes.close();
      await Promise.all([server.close(), router.close()]);
    },
  };
}

const PUT_BY_CLUSTER = ['ServiceAccount', 'RoleBinding', 'Event', 'EndpointSlice'];

function isOfCluster(kind: string, { metadata }: Obj): boolean {
  if (PUT_BY_CLUSTER.includes(kind) || metadata.namespace === 'openshift') return true;
  if (kind === 'Namespace') return ['default', 'openshift'].includes(metadata.name);
  return kind === 'ConfigMap' && /\.crt$/.test(metadata.name);
}
