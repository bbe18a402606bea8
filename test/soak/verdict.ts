import { NAMES, type Sample, SERIES, type SeriesName } from './samples.js';

/** The part of the time at the beginning in which nothing is judged: caches fill, code is compiled, pools open. */
const WARM_UP = 0.25;
/** Fewer rests prove nothing. */
const LEAST = 5;
/** Of a bound of the growth: 95 % on one side. */
const Z = 1.645;

/** `unclear`: neither is proven; it takes a longer run, or a quieter machine. */
export type Finding = 'flat' | 'grows' | 'unclear';

export interface Verdict {
  name: SeriesName;
  /** At the first rest after the warm-up, and at the last one. */
  first: number;
  last: number;
  /** Over the judged time: as estimated, at least, at most. */
  growth: number;
  least: number;
  most: number;
  bound: number;
  finding: Finding;
}

/**
 * Growth is the median of the slopes between each two rests (Theil and Sen), with the bounds that Kendall's statistic gives: no
 * distribution is assumed, and a rest that was disturbed moves little. `flat` has to be proven: growth is below its bound also at most.
 * What grows to a limit, as caches do, falls below it; the bound does not grow with the time, so that a longer run sees a slower leak.
 */
export function judge(rests: readonly Sample[]): Verdict[] {
  const from = (rests.at(-1)?.seconds ?? 0) * WARM_UP;
  const judged = rests.filter(({ seconds }) => seconds >= from);
  return NAMES.flatMap((name) => {
    const { bound } = SERIES[name];
    if (bound === undefined) return [];
    const points = judged.map((one) => ({ x: one.seconds, y: one[name] }));
    const growth = growthOf(points);
    return {
      name,
      first: points[0]?.y ?? 0,
      last: points.at(-1)?.y ?? 0,
      ...growth,
      bound,
      finding: find(growth, bound),
    };
  });
}

function find({ least, most }: Pick<Verdict, 'least' | 'most'>, bound: number): Finding {
  if (most <= bound) return 'flat';
  return least > 0 ? 'grows' : 'unclear';
}

function growthOf(points: readonly { x: number; y: number }[]): Pick<Verdict, 'growth' | 'least' | 'most'> {
  const n = points.length;
  const duration = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
  if (n < LEAST) return { growth: 0, least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
  const growths = points
    .flatMap((one, index) => points.slice(index + 1).map((other) => ((other.y - one.y) / (other.x - one.x)) * duration))
    .sort((a, b) => a - b);
  const spread = Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (index: number) => growths[Math.min(growths.length - 1, Math.max(0, index))] as number;
  const middle = (growths.length - 1) / 2;
  return {
    growth: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(Math.floor((growths.length - spread) / 2) - 1),
    most: at(Math.ceil((growths.length + spread) / 2)),
  };
}
