import { setTimeout as wait } from 'node:timers/promises';
import { type Chaos, chaosOf, type Kind } from './chaos.js';
import type { Client } from './client.js';
import { makeClients } from './clients.js';
import { KILLS, type Violation } from './history.js';
import { checkComplaints, checkNothingLies, checkNothingRuns, checkPlatforms, removeAll } from './machine.js';
import { type Random, randomOf } from './random.js';
import { openScene, type Scene } from './scene.js';
import { adminOf, checkBeliefs, checkPages, storedDeployments } from './verdict.js';
import { work } from './workload.js';

export interface CrashOptions {
  seed: string;
  store: 'sqlite' | 'postgres';
  /** Of work and kills; settling and checking come on top, within `LIMITS`. */
  seconds: number;
  clients: number;
  /** Milliseconds between two kills, at least and at most. */
  pause: readonly [number, number];
  leaseSeconds: number;
  /** How often what is killed, other than by default. */
  weights?: Partial<Record<Kind, number>>;
  /** Hears how it goes. */
  tell(line: string): void;
  /** Seconds between two lines. */
  interval: number;
  /** Ends the run at once, with everything that it has started. */
  signal?: AbortSignal;
  /** Keeps the logs also when nothing was wrong. */
  keep?: boolean;
}

export interface CrashReport {
  /** What happened how often: `acknowledged`, `maybe`, `refused`, `lost`, `status 503`, … */
  counts: Record<string, number>;
  kills: Chaos['kills'];
  /** Seconds from the last kill until everything was as it has to be. */
  settling: number;
  /** Instances on platforms when everything rested, and pages that were read. */
  deployed: number;
  pages: number;
  violations: readonly Violation[];
  /** Of the first objects that something was wrong with. */
  histories: { subject: string; lines: string[] }[];
  /** Where the logs are; undefined: nothing was wrong, and they are gone. */
  logs: string | undefined;
}

/** Seconds. */
const LIMITS = { settling: 600 };
const TOLD = 5;

/** A workload of many clients under kills, and the check of all that must hold afterwards. */
export async function runCrash(options: CrashOptions): Promise<CrashReport> {
  const random = randomOf(options.seed);
  const scene = await openScene(options);
  const { history } = scene;
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const chaos = chaosOf(scene, random.fork('chaos'), options.pause, options.weights);
  const report = { settling: 0, deployed: 0, pages: 0 };
  const progress = setInterval(() => options.tell(progressLine(scene, counts, chaos)), options.interval * 1000);
  let keep = true;
  try {
    const ending = new AbortController();
    const interrupted = once(options.signal);
    interrupted.catch((reason: Error) => ending.abort(reason));
    await Promise.race([interrupted, untilJudged(scene, random, options, chaos, count, ending, report)]);
  } catch (error) {
    history.violation(KILLS, `the run broke: ${(error as Error).stack}`);
  } finally {
    clearInterval(progress);
    keep = history.violations.length > 0 || options.keep === true;
    await scene.close(keep);
  }
  const subjects = [...new Set(history.violations.map(({ subject }) => subject))].slice(0, TOLD);
  return {
    ...report,
    counts,
    kills: chaos.kills,
    violations: history.violations,
    histories: subjects.map((subject) => ({ subject, lines: history.of(subject) })),
    logs: keep ? scene.logs : undefined,
  };
}

/** Rejects when the signal comes. */
function once(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function untilJudged(
  scene: Scene,
  random: Random,
  options: CrashOptions,
  chaos: Chaos,
  count: (what: string) => void,
  ending: AbortController,
  report: { settling: number; deployed: number; pages: number },
): Promise<void> {
  await startAll(scene);
  const clients = await makeClients(scene, random, {
    ...{ count: options.clients, told: count, signal: ending.signal, pause: 400 },
    largestArtefact: options.seconds > 60 ? 400_000 : 50_000,
  });
  await disturbed(options, clients, chaos);
  const settled = Date.now();
  const bound = setTimeout(() => ending.abort(new Error('it did not settle in time')), LIMITS.settling * 1000);
  try {
    await judge(scene, clients, random, ending.signal, report, () => {
      report.settling = (Date.now() - settled) / 1000;
      options.tell(`settled and checked after ${report.settling.toFixed(0)} s`);
    });
  } finally {
    clearTimeout(bound);
  }
}

async function disturbed({ seconds }: CrashOptions, clients: readonly Client[], chaos: Chaos): Promise<void> {
  const over = new AbortController();
  const tenantOf = (client: Client) => client.user.split('@')[1]?.split(':')[0];
  const working = clients.map((client) =>
    work(
      client,
      clients.filter((other) => tenantOf(other) !== tenantOf(client)),
      over.signal,
    ),
  );
  const raging = chaos.run(over.signal);
  const failed = Promise.race([...working, raging]).then(() => undefined);
  await Promise.race([wait(seconds * 1000), failed]);
  over.abort();
  await Promise.all([...working, raging]);
}

async function judge(
  scene: Scene,
  clients: readonly Client[],
  random: Random,
  signal: AbortSignal,
  report: { deployed: number; pages: number },
  settled: () => void,
): Promise<void> {
  const admin = adminOf(scene, random, signal);
  const stopAll = () => Promise.all(scene.gateways.map((gateway) => gateway.stop()));
  await checkBeliefs(scene, clients, admin);
  const stored = await storedDeployments(clients);
  report.deployed = stored.length;
  report.pages = await checkPages(scene, stored);
  settled();
  await stopAll();
  await checkPlatforms(scene, clients, stored);
  await startAll(scene);
  await removeAll(scene, clients);
  await checkNothingRuns(scene);
  await stopAll();
  await checkNothingLies(scene, () => startAll(scene));
  await stopAll();
  await checkComplaints(scene);
  const left = scene.processes();
  if (left.length > 0) scene.history.violation(KILLS, `processes are left: ${left.join(', ')}`);
}

async function startAll({ gateways }: Scene): Promise<void> {
  await Promise.all(gateways.map((gateway) => gateway.start(() => false)));
}

export function progressLine(
  { history }: Pick<Scene, 'history'>,
  counts: Record<string, number>,
  chaos: Chaos,
): string {
  const kills = Object.entries(chaos.kills)
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => `${kind} ${number}`);
  const told = ['acknowledged', 'maybe', 'refused', 'lost'].map((what) => `${what} ${counts[what] ?? 0}`);
  const wrong = history.violations.length > 0 ? ` · VIOLATIONS ${history.violations.length}` : '';
  return `${history.seconds().toFixed(0).padStart(5)} s  ${told.join(', ')} · killed: ${kills.join(', ') || 'nothing'}${wrong}`;
}
