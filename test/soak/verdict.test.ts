import { randomOf } from '../crash/random.js';
import type { Sample, SeriesName } from './samples.js';
import { type Finding, judge } from './verdict.js';

const SEEDS = Array.from({ length: 50 }, (_, index) => String(index));

/** What is found of a series of rests, each half a minute after the other; the noise is even, up to `noise` on each side. */
function found(
  name: SeriesName,
  valueAt: (minute: number) => number,
  { minutes = 10, noise = 0 } = {},
): Record<Finding, number> {
  const findings = { flat: 0, grows: 0, unclear: 0 };
  for (const seed of SEEDS) {
    const random = randomOf(seed);
    const rests = Array.from({ length: 2 * minutes }, (_, index): Sample => {
      const quiet = { seconds: (index + 1) * 30, resident: 200, heap: 50, files: 40, resources: 20, delay: 10 };
      return { ...quiet, [name]: valueAt((index + 1) / 2) + noise * (2 * random.next() - 1) };
    });
    const { finding } = judge(rests).find((verdict) => verdict.name === name) ?? { finding: 'unclear' };
    findings[finding] += 1;
  }
  return findings;
}
const ALL = SEEDS.length;

describe('what is found in what a gateway holds at rest', () => {
  test('noise is flat, also with rests that were disturbed', () => {
    expect(found('resident', () => 200, { noise: 5 }).flat).toBe(ALL);
    expect(found('heap', () => 50, { noise: 1 }).flat).toBe(ALL);
    expect(found('files', () => 40, { noise: 2 }).flat).toBe(ALL);
    expect(found('resident', (minute) => (minute === 7 ? 400 : 200), { noise: 5 }).flat).toBe(ALL);
  });

  test('what grows to a limit is flat once it is near', () => {
    const filling = (minute: number) => 56 - 16 * Math.exp(-minute);
    expect(found('heap', filling, { noise: 0.5 }).flat).toBe(ALL);
  });

  test('a leak grows, and is seen in noise', () => {
    expect(found('heap', (minute) => 50 + minute, { noise: 1 }).grows).toBe(ALL);
    expect(found('resident', (minute) => 200 + 4 * minute, { noise: 5 }).grows).toBe(ALL);
    expect(found('files', (minute) => 40 + 2 * minute, { noise: 2 }).grows).toBe(ALL);
    expect(found('resources', (minute) => 20 + 2 * minute).grows).toBe(ALL);
  });

  test('a slower leak is seen in a longer run', () => {
    const slow = (minute: number) => 50 + minute / 8;
    expect(found('heap', slow, { noise: 0.5 }).flat).toBe(ALL);
    expect(found('heap', slow, { noise: 0.5, minutes: 60 }).grows).toBe(ALL);
  });

  test('too much noise and too short a time prove nothing', () => {
    // Some fall by chance.
    expect(found('resident', () => 200, { noise: 200 }).flat).toBeLessThan(ALL / 5);
    expect(found('heap', () => 50, { minutes: 2 })).toEqual({ flat: 0, grows: 0, unclear: ALL });
    expect(judge([]).map(({ finding }) => finding)).not.toContain('flat');
  });

  test('the delay of the event loop is told and not judged', () => {
    expect(judge([]).map(({ name }) => name)).toEqual(['resident', 'heap', 'files', 'resources']);
  });
});
