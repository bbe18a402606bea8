import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '../crash/client.js';
import { makeClients } from '../crash/clients.js';
import type { Violation } from '../crash/history.js';
import { checkNothingRuns, removeAll } from '../crash/machine.js';
import { randomOf } from '../crash/random.js';
import { openScene, type Scene } from '../crash/scene.js';
import { work } from '../crash/workload.js';
import { rawRequest } from '../support/raw-request.js';
import { type Sample, sample, sampleRest } from './samples.js';

export const LEAKS = ['memory', 'native', 'handles'] as const;

export interface SoakOptions {
  seed: string;
  store: 'sqlite' | 'postgres';
  /** Of load; rests come on top. */
  minutes: number;
  /** Clients that change things, and those that read, all without pauses. */
  clients: number;
  readers: number;
  /** Makes the gateway leak: the run has to see it. */
  leak?: (typeof LEAKS)[number];
  /** Hears of each look. */
  tell(one: Sample, counts: Readonly<Record<string, number>>, isRest: boolean): void;
  /** Ends the run at once, with everything that it has started. */
  signal: AbortSignal;
}

export interface SoakRun {
  /** Under load. */
  samples: Sample[];
  /** When everything had been deleted and nothing was asked. */
  rests: Sample[];
  /** What happened how often: `acknowledged`, `status 200`, … */
  counts: Record<string, number>;
  violations: readonly Violation[];
}

/** Milliseconds. */
const INTERVAL = 5000;
/** Rounds of load, each with a rest at its end: at least so many, and no longer than a minute. */
const ROUNDS = 20;
/** Kept answers fill their room within the warm-up: later ones must make room for each other. */
const ENV = { COAPS_CACHE_SIZE: String(1024 ** 2) };

/**
 * Full load in rounds. After each one the clients delete all that they have, and the gateway is looked at when nothing is left to hold:
 * at any other moment a hundred descriptors more or less are what happens to run.
 */
export async function soak(options: SoakOptions): Promise<SoakRun> {
  const { leak, seed, store, signal, tell } = options;
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const urlOf = (file: string) => new URL(file, import.meta.url).href;
  const flags = [
    '--expose-gc',
    '--import',
    urlOf('collect.mjs'),
    ...(leak ? ['--import', urlOf(`leak.mjs?${leak}`)] : []),
  ];
  const scene = await openScene({ store, leaseSeconds: 15, gateways: 1, flags, env: ENV });
  const [samples, rests]: [Sample[], Sample[]] = [[], []];
  const ended = new AbortController();
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const run = async () => {
    const [gateway] = scene.gateways;
    await gateway?.start(() => false);
    const setting = { count: options.clients, largestArtefact: 200_000, pause: 0, told: count };
    const clients = await makeClients(scene, randomOf(seed), { ...setting, signal: ended.signal });
    const url = `${gateway?.management}/metrics`;
    const began = Date.now();
    const rounds = Math.max(ROUNDS, Math.ceil(options.minutes));
    for (let round = 0; round < rounds; round += 1) {
      const looks = load(scene, clients, options, count, () => sample(url, began), (options.minutes * 60_000) / rounds);
      for await (const one of looks) {
        samples.push(one);
        tell(one, counts, false);
      }
      await clear(scene, clients);
      const rest = await sampleRest(url, began, gateway?.pid() ?? 0);
      rests.push(rest);
      tell(rest, counts, true);
    }
    await gateway?.stop();
  };
  try {
    await Promise.race([interrupted, run()]);
  } finally {
    ended.abort(signal.reason ?? new Error('the run is over'));
    await scene.close(scene.history.violations.length > 0);
  }
  return { samples, rests, counts, violations: scene.history.violations };
}

/** Looks at the gateway while it is under load. */
async function* load(
  scene: Scene,
  clients: readonly Client[],
  { readers }: SoakOptions,
  count: (what: string) => void,
  look: () => Promise<Sample>,
  milliseconds: number,
): AsyncGenerator<Sample> {
  const over = new AbortController();
  const origin = scene.gateways[0]?.origin ?? '';
  const working = Promise.all([
    ...clients.map((client) => work(client, [], over.signal)),
    ...Array.from({ length: readers }, (_, index) =>
      read(clients[index % clients.length] as Client, origin, count, over.signal),
    ),
  ]);
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    await Promise.race([wait(Math.min(INTERVAL, end - Date.now())), working]);
    yield await look();
  }
  over.abort();
  await working;
}

/** Describes and lists, one request after the other. */
async function read(
  { apps, user, random }: Client,
  origin: string,
  count: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const own = random.fork('reader');
  while (!signal.aborted) {
    const path = own.chance(0.2) || apps.length === 0 ? '/app' : `/app/${own.one(apps).appId}`;
    const { status } = await rawRequest(`${origin}/CF-api/rest${path}`, { user });
    count(`status ${status}`);
  }
}

/** Everything goes: what there is, as its owners delete it; the processes behind; connections that idle for a minute after the load. */
async function clear(scene: Scene, clients: readonly Client[]): Promise<void> {
  await removeAll(scene, clients);
  for (const { apps, envs } of clients) {
    apps.length = 0;
    envs.length = 0;
  }
  await checkNothingRuns(scene);
  for (const { front } of [scene.cloudFoundry, scene.openShift]) {
    await front.down();
    await front.up();
  }
}
