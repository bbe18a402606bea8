import { rawRequest } from '../support/raw-request.js';

/** What is looked at, by its name in the gateway's own metrics. */
export const SERIES = {
  resident: {
    metric: 'process_resident_memory_bytes',
    label: 'resident memory',
    unit: 'MiB',
    divisor: 1024 ** 2,
    floor: 16,
  },
  heap: { metric: 'nodejs_heap_size_used_bytes', label: 'heap used', unit: 'MiB', divisor: 1024 ** 2, floor: 8 },
  files: { metric: 'process_open_fds', label: 'file descriptors', unit: '', divisor: 1, floor: 10 },
  resources: { metric: 'nodejs_active_resources_total', label: 'active resources', unit: '', divisor: 1, floor: 10 },
  delay: {
    metric: 'nodejs_eventloop_lag_p99_seconds',
    label: 'event loop delay, p99',
    unit: 'ms',
    divisor: 0.001,
    floor: 100,
  },
} as const;
export type SeriesName = keyof typeof SERIES;
export const NAMES = Object.keys(SERIES) as SeriesName[];

/** One look at the gateway. */
export type Sample = { seconds: number } & Record<SeriesName, number>;

/** `url`: of the metrics. */
export async function sample(url: string, began: number): Promise<Sample> {
  const { text } = await rawRequest(url, { signal: AbortSignal.timeout(30_000) });
  const value = (metric: string): number => {
    const found = new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`the gateway does not tell ${metric}`);
    return Number(found);
  };
  const values = NAMES.map((name) => [name, value(SERIES[name].metric) / SERIES[name].divisor]);
  return { seconds: (Date.now() - began) / 1000, ...Object.fromEntries(values) };
}
