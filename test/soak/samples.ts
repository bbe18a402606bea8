import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { rawRequest } from '../support/raw-request.js';

/**
 * What is looked at, by its name in the gateway's own metrics. `bound`: of growth over the judged time, in the unit that is shown; none:
 * it is told and not judged.
 */
export const SERIES = {
  resident: {
    metric: 'process_resident_memory_bytes',
    label: 'resident memory',
    unit: 'MiB',
    divisor: 1024 ** 2,
    bound: 16,
  },
  heap: { metric: 'nodejs_heap_size_used_bytes', label: 'heap used', unit: 'MiB', divisor: 1024 ** 2, bound: 4 },
  files: { metric: 'process_open_fds', label: 'file descriptors', unit: '', divisor: 1, bound: 10 },
  resources: { metric: 'nodejs_active_resources_total', label: 'active resources', unit: '', divisor: 1, bound: 10 },
  delay: {
    metric: 'nodejs_eventloop_lag_p99_seconds',
    label: 'event loop delay, p99',
    unit: 'ms',
    divisor: 0.001,
    bound: undefined,
  },
} as const;
export type SeriesName = keyof typeof SERIES;
export const NAMES = Object.keys(SERIES) as SeriesName[];

/** One look at the gateway. */
export type Sample = { seconds: number } & Record<SeriesName, number>;

const LOOKS = 5;
/** Milliseconds. */
const BETWEEN = 500;
const LONGEST_COLLECTION = 60_000;

/** `url`: of the metrics. `began`: when the time of the samples begins. */
export async function sample(url: string, began: number): Promise<Sample> {
  const values = await metrics(url);
  const entries = NAMES.map((name) => [name, need(values, SERIES[name].metric) / SERIES[name].divisor]);
  return { seconds: (Date.now() - began) / 1000, ...Object.fromEntries(entries) };
}

/** What the gateway holds while nothing is asked of it: the least of some looks, each right after a collection. */
export async function sampleRest(url: string, began: number, pid: number): Promise<Sample> {
  const looks: Sample[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const collected = once(process, 'SIGUSR2', { signal: AbortSignal.timeout(LONGEST_COLLECTION) });
    process.kill(pid, 'SIGUSR2');
    await collected;
    looks.push(await sample(url, began));
    await wait(BETWEEN);
  }
  const least = NAMES.map((name) => [name, Math.min(...looks.map((one) => one[name]))]);
  return { seconds: (Date.now() - began) / 1000, ...Object.fromEntries(least) };
}

/** By name with labels, and by name alone where a name stands once. */
async function metrics(url: string): Promise<Map<string, number>> {
  const { text } = await rawRequest(url, { signal: AbortSignal.timeout(30_000) });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

function need(values: ReadonlyMap<string, number>, metric: string): number {
  const value = values.get(metric);
  if (value === undefined) throw new Error(`the gateway does not tell ${metric}`);
  return value;
}
