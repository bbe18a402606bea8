import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentError } from './agent-error.js';
import { type Backend, type Balancer, createBackend, createBalancer, retireBackend } from './balancer.js';
import type { Address, ProxyTask } from './protocol.js';
import { pause } from './wait.js';

/** The agent's two listeners: its front, for other agents' proxies, and in the proxy role the address of the service. */
export interface Proxies {
  /** The front's address, the same for the agent's life. */
  readonly backend: Address;
  /** Where the own application answers now; undefined while it does not. Resolves when the one before has answered everything. */
  setOwn(address: Address | undefined, drainMs: number): Promise<void>;
  take(task: ProxyTask | null): Promise<void>;
  readonly task: ProxyTask | null;
  close(): Promise<void>;
}

/** How long open connections of a listener that goes may take to end. */
const LEAVE_MS = 5000;

export async function openProxies(front: Address): Promise<Proxies> {
  let own: Backend | undefined;
  let others: Backend[] = [];
  let task: ProxyTask | null = null;
  let service: Server | undefined;
  const frontBalancer = createBalancer({ backends: () => (own ? [own] : []), first: false });
  const serviceBalancer = createBalancer({
    backends: () => (own && task?.own ? [own, ...others] : others),
    first: true,
  });
  const frontServer = await listen(frontBalancer, front);

  const setOthers = (addresses: readonly Address[]) => {
    const kept = others.filter(({ address }) => addresses.some((one) => same(one, address)));
    const added = addresses.filter((one) => !others.some(({ address }) => same(one, address)));
    const gone = others.filter((backend) => !kept.includes(backend));
    others = [...kept, ...added.map(createBackend)];
    for (const backend of gone) void retireBackend(backend, LEAVE_MS);
  };

  return {
    backend: { host: front.host, port: (frontServer.address() as AddressInfo).port },
    get task() {
      return task;
    },
    setOwn: async (address, drainMs) => {
      const before = own;
      own = address && createBackend(address);
      if (before) await retireBackend(before, drainMs);
    },
    take: async (next) => {
      const before = service;
      if (next && !(before && task && same(task.listen, next.listen))) {
        service = await listen(serviceBalancer, next.listen);
        if (before) void leave(before);
      } else if (!next && before) {
        service = undefined;
        await leave(before);
      }
      task = next;
      setOthers(next?.backends ?? []);
    },
    close: async () => {
      await Promise.all([leave(frontServer), service && leave(service)]);
      own?.connections.destroy();
      for (const { connections } of others) connections.destroy();
    },
  };
}

function same(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port;
}

function listen(balancer: Balancer, { host, port }: Address): Promise<Server> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 65_000 });
  server.on('request', balancer.request);
  server.on('upgrade', balancer.upgrade);
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new AgentError('rejected', `The proxy cannot listen on ${host} port ${port} (${cause.code}).`, { cause })),
    );
    server.listen(port, host, () => resolve(server));
  });
}

async function leave(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await Promise.race([closed, pause(LEAVE_MS)]);
  server.closeAllConnections();
  await closed;
}
