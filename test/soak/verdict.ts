import { NAMES, type Sample, SERIES, type SeriesName } from './samples.js';

/** What is left out at the beginning: caches fill, code is compiled, pools open. */
const WARM_UP = 0.25;
/** Seconds of a window; of memory its least value counts, which is what stays after a collection. */
const WINDOW = 20;

export interface Verdict {
  name: SeriesName;
  /** At the first look after the warm-up, at the last one, and most. */
  first: number;
  last: number;
  most: number;
  /** Over the whole time after the warm-up, by the line through all windows. */
  growth: number;
  /** Growth that chance alone makes: twice its standard error. */
  noise: number;
  flat: boolean;
}

export function judge(samples: readonly Sample[]): Verdict[] {
  const from = (samples.at(-1)?.seconds ?? 0) * WARM_UP;
  const steady = samples.filter(({ seconds }) => seconds >= from);
  return NAMES.map((name) => {
    const points = windows(steady, name);
    const { slope, error } = line(points);
    const duration = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
    const [growth, noise] = [slope * duration, 2 * error * duration];
    const values = steady.map((one) => one[name]);
    return {
      name,
      first: values[0] ?? 0,
      last: values.at(-1) ?? 0,
      most: Math.max(...values),
      growth,
      noise,
      // Too short a time tells nothing. Also when the growth is real, a little of it is none that anybody would feel.
      flat: Number.isFinite(noise) && growth <= Math.max(noise, SERIES[name].floor),
    };
  });
}

interface Point {
  x: number;
  y: number;
}

function windows(samples: readonly Sample[], name: SeriesName): Point[] {
  const groups = new Map<number, Sample[]>();
  for (const one of samples) {
    const index = Math.floor(one.seconds / WINDOW);
    groups.set(index, [...(groups.get(index) ?? []), one]);
  }
  const isMemory = name === 'heap' || name === 'resident';
  return [...groups].map(([index, members]) => {
    const values = members.map((one) => one[name]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { x: index * WINDOW, y: isMemory ? Math.min(...values) : mean };
  });
}

/** Least squares: the slope and its standard error. */
function line(points: readonly Point[]): { slope: number; error: number } {
  const n = points.length;
  if (n < 3) return { slope: 0, error: Number.POSITIVE_INFINITY };
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / n;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
  const rest = points.reduce((sum, point) => sum + (point.y - y - slope * (point.x - x)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (n - 2) / spread) };
}
