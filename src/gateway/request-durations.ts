import type { Metric, Registry } from 'prom-client';

const NAME = 'coaps_request_duration_seconds';
/** Seconds. */
const BOUNDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600];

interface Series {
  labels: { action: string; method: string; status: string };
  /** How many took at most as long as the bound of their place, and longer than the one before. */
  counts: number[];
  /** Longer than each bound. */
  longer: number;
  sum: number;
}

/**
 * Counts the requests of the API by action, method and status, as a histogram of Prometheus. An answer that is kept takes less time than
 * prom-client's own histogram, which sorts and joins the labels at each observation.
 */
export function countRequests(
  registry: Registry,
): (action: string, method: string, status: number, seconds: number) => void {
  const known = new Map<string, Series>();
  const metric = {
    name: NAME,
    async get() {
      const help = 'Requests of the API by action, method and status.';
      return { name: NAME, help, type: 'histogram', values: [...known.values()].flatMap(valuesOf) };
    },
  };
  registry.registerMetric(metric as unknown as Metric);
  return (action, method, status, seconds) => {
    const key = `${action} ${method} ${status}`;
    let series = known.get(key);
    if (!series) {
      const labels = { action, method, status: String(status) };
      series = { labels, counts: BOUNDS.map(() => 0), longer: 0, sum: 0 };
      known.set(key, series);
    }
    const place = BOUNDS.findIndex((bound) => seconds <= bound);
    if (place === -1) series.longer += 1;
    else series.counts[place] = (series.counts[place] as number) + 1;
    series.sum += seconds;
  };
}

/** Prometheus counts in each bucket what is in the ones before it, too. */
function valuesOf({ labels, counts, longer, sum }: Series) {
  let count = 0;
  const buckets = [...counts, longer].map((more, index) => {
    count += more;
    return { metricName: `${NAME}_bucket`, labels: { le: BOUNDS[index] ?? '+Inf', ...labels }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: sum },
    { metricName: `${NAME}_count`, labels, value: count },
  ];
}
