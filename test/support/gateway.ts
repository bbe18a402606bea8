import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../../src/config.js';
import type { Address } from '../../src/gateway/parts.js';
import { type GatewayHooks, openGateway } from '../../src/gateway.js';
import { type RawAnswer, type RawRequest, rawRequest } from './raw-request.js';

export const ADMIN = 'admin:admin-of-the-test';

export interface TestGatewayOptions {
  /** As in coaps.yaml; without it one platform MEM with the adapter `memory`. */
  platforms?: Record<string, Record<string, unknown>>;
  /** More of coaps.yaml. */
  config?: Record<string, unknown>;
  /** A data directory that was used before and that outlives this gateway. */
  data?: string;
  hooks?: GatewayHooks;
}

export interface TestGateway {
  /** e.g. `http://127.0.0.1:34567`. */
  origin: string;
  /** The base of the first platform, e.g. `http://127.0.0.1:34567/MEM-api/rest`. */
  base: string;
  data: string;
  /** Everything that it prints. */
  addresses: readonly Address[];
  /** Path relative to the base, or a whole URL; as the admin unless `user` says otherwise (`''`: without credentials). */
  request(path: string, request?: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

/** A whole gateway in this process, on a free port, with a data directory of its own that goes with it. */
export async function startGateway({ platforms, config, data, hooks }: TestGatewayOptions = {}): Promise<TestGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'coaps-test-'));
  // Applications with Unix ids of their own have to be able to walk to their folders below it.
  await chmod(directory, 0o755);
  const kept = data ?? join(directory, 'data');
  await writeFile(
    join(directory, 'coaps.yaml'),
    stringify({
      listen: { port: 0 },
      conpaas: { listen: { port: 0 } },
      log: { level: 'silent' },
      observe: { interval: 0.2 },
      platforms: platforms ?? { MEM: { adapter: 'memory' } },
      ...config,
    }),
  );
  const env = { COAPS_DATA: kept, COAPS_ADMIN_PASSWORD: ADMIN.slice('admin:'.length) };
  const gateway = await openGateway(loadConfig({ env, directory, adapters: ADAPTERS }), hooks);
  const addresses = await gateway.listen();
  const [address] = addresses;
  if (!address) throw new Error('The gateway tells no address');
  return {
    ...speaker(address.url),
    data: kept,
    addresses,
    async close() {
      await gateway.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Requests to a gateway at this base. */
export function speaker(base: string): Pick<TestGateway, 'origin' | 'base' | 'request'> {
  return {
    base,
    origin: new URL(base).origin,
    request: (path, { user = ADMIN, ...request } = {}) =>
      rawRequest(path.startsWith('http') ? path : base + path, { user: user === '' ? undefined : user, ...request }),
  };
}
