import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { ConpaasNode, ConpaasService, Endpoint } from '../domain/conpaas.js';

export interface AddressOptions {
  /** `127.77.0.0/16`: every manager and node gets an address of its own; a single address: ports of its own on it. */
  range: string;
  /** Ports on addresses of their own. */
  managerPort: number;
  appPort: number;
  databasePort: number;
  /** Where applications listen instead: one host with a port each, shown to people as `publicHost`. */
  apps?: { host: string; ports: { first: number; last: number }; publicHost?: string };
  /** Makes different installations of one machine begin at different places of the range. */
  installation: string;
}

/** Which addresses managers and applications of this host get, and what they are called. */
export interface AddressBook {
  /** Some addresses for a manager, on which nothing listens now; the store reserves one. */
  managerCandidates(): Promise<Endpoint[]>;
  /** The same for a proxy. */
  endpointCandidates(): Promise<Endpoint[]>;
  /** Where the manager of a service listens. */
  managerAt(service: ConpaasService): { host: string; port: number };
  /** As `/list` shows it: a bare address, unless managers share one and differ by port. */
  managerName(service: ConpaasService): string;
  /** The node's own address; null: it has none. */
  nodeAddress(node: Pick<ConpaasNode, 'endpoint'>): string | null;
  /** Where a proxy node listens. */
  listenAt(endpoint: Endpoint): { host: string; port: number };
  /** Where the database server of a service listens: for this machine alone. */
  databaseAt(endpoint: Endpoint): { host: string; port: number };
  /** URL at which people reach the service. */
  publicUrl(endpoint: Endpoint): string;
  /** Whether nodes that are no proxies get an address too. */
  readonly everyNode: boolean;
}

const LOOPBACK = '127.0.0.1';
/** How many are offered to the store at a time. */
const OFFER = 3;
/** Ports of a single address. */
const SHARED_MANAGER_PORTS = { first: 18_443, last: 28_442 };
const SHARED_APP_PORTS = { first: 28_443, last: 32_767 };

/** Throws Error with a text for the operator when the range cannot be read. */
export function createAddressBook(options: AddressOptions): AddressBook {
  const { managerPort, appPort, databasePort, apps } = options;
  const range = parseRange(options.range);
  const shared = range.size === 1;
  const address = (index: number): Endpoint => ({ address: dotted(range.first + index), port: 0 });
  const portsOf = (host: string, { first, last }: { first: number; last: number }) => ({
    size: last - first + 1,
    at: (index: number): Endpoint => ({ address: host, port: first + index }),
  });
  const own = { size: range.size, at: address };
  const managers = cursor(
    shared ? portsOf(dotted(range.first), SHARED_MANAGER_PORTS) : own,
    options.installation,
    managerPort,
  );
  const appPool = apps ? portsOf(apps.host, apps.ports) : portsOf(dotted(range.first), SHARED_APP_PORTS);
  // One cursor for both, so that managers and applications do not try the same addresses.
  const endpoints = apps || shared ? cursor(appPool, options.installation, appPort) : managers.withPort(appPort);
  const listenAt = ({ address: host, port }: Endpoint) => ({ host, port: port || appPort });

  return {
    everyNode: !apps && !shared,
    managerCandidates: () => managers.free(),
    endpointCandidates: () => endpoints.free(),
    managerAt: ({ manager }) => ({ host: manager.address, port: manager.port || managerPort }),
    managerName: ({ manager }) => (manager.port ? `${manager.address}:${manager.port}` : manager.address),
    nodeAddress: ({ endpoint }) => (endpoint && endpoint.port === 0 ? endpoint.address : null),
    listenAt,
    databaseAt: ({ address: host, port }) => ({
      host: port !== 0 && apps ? LOOPBACK : host,
      port: port || databasePort,
    }),
    publicUrl(endpoint) {
      const { host, port } = listenAt(endpoint);
      const shown = (endpoint.port !== 0 && apps?.publicHost) || host;
      return `http://${shown.includes(':') ? `[${shown}]` : shown}${port === 80 ? '' : `:${port}`}`;
    },
  };
}

interface Pool {
  size: number;
  at(index: number): Endpoint;
}

/** Goes round the pool, so that an address that was just given back is not given away at once. */
function cursor(pool: Pool, seed: string, defaultPort: number, shared = { position: 0 }) {
  if (shared.position === 0) shared.position = createHash('sha256').update(seed).digest().readUInt32BE(0) % pool.size;
  const free = async (port = defaultPort): Promise<Endpoint[]> => {
    const found: Endpoint[] = [];
    for (let tried = 0; tried < pool.size && found.length < OFFER; tried++) {
      const candidate = pool.at(shared.position);
      shared.position = (shared.position + 1) % pool.size;
      if (await isFree(candidate.address, candidate.port || port)) found.push(candidate);
    }
    return found;
  };
  return { free, withPort: (port: number) => ({ free: () => free(port) }) };
}

/** Whether a server could listen there now: what another program holds is passed over. */
export async function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer();
  return await new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Without the first and the last address of a network. */
function parseRange(text: string): { first: number; size: number } {
  const [, a, b, c, d, bits = '32'] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const bytes = [a, b, c, d].map(Number);
  const prefix = Number(bits);
  if (a === undefined || bytes.some((byte) => byte > 255) || prefix < 8 || prefix > 32) {
    throw new Error(`conpaas.addresses: "${text}" is no range of IPv4 addresses such as 127.77.0.0/16.`);
  }
  const start = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (prefix >= 31) return { first: start, size: 1 };
  const size = 2 ** (32 - prefix);
  return { first: Math.floor(start / size) * size + 1, size: size - 2 };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
