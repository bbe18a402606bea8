import { request } from 'node:http';
import { createClient } from '../../adapters/openshift/client.js';
import { openConnection } from '../../adapters/openshift/connection.js';
import { openshiftDefinition } from '../../adapters/openshift/definition.js';
import { OpenShiftAdapter } from '../../adapters/openshift/index.js';
import { readSettings } from '../../adapters/openshift/settings.js';
import type { AdapterBench } from '../contract/adapter.js';
import { type FakeOpenShift, type FakeOptions, startFakeOpenShift } from './openshift.js';

export const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** An adapter as alice's, impatient enough for tests. */
export async function openAdapter(
  fake: FakeOpenShift,
  installation: string,
  options: Record<string, unknown> = {},
): Promise<OpenShiftAdapter> {
  const given = { server: fake.url, token: fake.token('alice'), ...QUICK, ...options };
  const context = { platform: 'OS', installation, options: withDefaults(given), log: SILENT };
  const settings = readSettings(context);
  const connection = await openConnection(settings);
  return new OpenShiftAdapter(createClient(connection, { ...settings, firstPause: 5 }), settings, SILENT);
}

/** As the gateway's configuration gives them to an adapter. */
export function withDefaults(options: Record<string, unknown>): Record<string, unknown> {
  const defaults = openshiftDefinition.options.filter((one) => one.default !== undefined);
  return { ...Object.fromEntries(defaults.map((one) => [one.name, one.default])), ...options };
}

/** Seconds, against a cluster whose seconds are shorter. */
const QUICK = { requestTimeout: 5, buildStartTimeout: 20, buildTimeout: 20, rolloutTimeout: 600, deleteTimeout: 20 };

/** The contract suite's platform: a cluster of its own, and the names of its applications known to `fetch`. */
export async function openOpenShiftBench(options: FakeOptions = {}): Promise<AdapterBench & { fake: FakeOpenShift }> {
  const fake = await startFakeOpenShift(options);
  const restore = resolveNames(fake);
  return {
    fake,
    serves: true,
    open: (installation) => openAdapter(fake, installation),
    objects: async () => fake.inventory(),
    trouble: {
      down: () => fake.interfere(() => ({ code: 503, body: 'upstream connect error' })),
      slow: () => fake.interfere(() => ({ wait: 60_000 })),
      throttled() {
        let left = 3;
        return fake.interfere(() => {
          left -= 1;
          return left >= 0 ? { code: 429, body: 'too many', headers: { 'retry-after': '1' } } : undefined;
        });
      },
      locked: () =>
        fake.interfere(() => ({
          code: 401,
          body: { kind: 'Status', message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
        })),
      stagingFails: () => on(fake, 'buildFails'),
      crashes: () => on(fake, 'crashes'),
    },
    async close() {
      restore();
      await fake.close();
    },
  };
}

function on(fake: FakeOpenShift, name: 'buildFails' | 'crashes'): () => void {
  fake.trouble[name] = true;
  return () => {
    fake.trouble[name] = false;
  };
}

/** As a resolver and a certificate authority would: addresses under the cluster's domain lead to its router. */
function resolveNames(fake: FakeOpenShift): () => void {
  const plain = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = new URL(String(input));
    if (!url.hostname.endsWith(`.${fake.domain}`)) return plain(input, init);
    return await new Promise<Response>((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: fake.routerPort, path: url.pathname, headers: { host: url.host }, agent: false },
        (answer) => {
          const pieces: Buffer[] = [];
          answer.on('data', (piece: Buffer) => pieces.push(piece));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve(new Response(Buffer.concat(pieces).toString('utf8'), { status: answer.statusCode ?? 0 })),
          );
        },
      );
      sent.on('error', reject);
      sent.end();
    });
  };
  return () => {
    globalThis.fetch = plain;
  };
}
