import { NAMES, type Sample, SERIES, type SeriesName } from './samples.js';
import type { Verdict } from './verdict.js';

const [WIDTH, HEIGHT, LEFT, TOP] = [900, 120, 190, 40];
/** Rows of the table. */
const ROWS = 12;

export interface SoakFacts {
  seed: string;
  store: string;
  seconds: number;
  requests: number;
  operations: number;
  date: string;
}

export function table(facts: SoakFacts, samples: readonly Sample[], verdicts: readonly Verdict[]): string {
  const every = Math.max(1, Math.floor(samples.length / ROWS));
  const shown = samples.filter((_, index) => index % every === 0 || index === samples.length - 1);
  const head = ['time', ...NAMES.map((name) => titleOf(name))];
  const rows = shown.map((one) => [`${one.seconds.toFixed(0)} s`, ...NAMES.map((name) => number(one[name]))]);
  const judged = verdicts.map(({ name, first, last, most, growth, noise, flat }) => [
    titleOf(name),
    ...[first, last, most].map(number),
    `${growth >= 0 ? '+' : ''}${number(growth)} ± ${number(noise)}`,
    flat ? 'flat' : '**grows**',
  ]);
  return [
    `# Soak of ${facts.date}`,
    '',
    `${(facts.seconds / 60).toFixed(0)} minutes at full load, store ${facts.store}, seed ${facts.seed}: ${facts.requests} requests, ${facts.operations} changes acknowledged, on all platforms. The load and the fake platforms share the machine with the gateway.`,
    '',
    ...markdown(['', 'after warm-up', 'at the end', 'most', 'growth', 'verdict'], judged),
    '',
    ...markdown(head, rows),
    '',
    'Growth: of the line through windows of 20 s after the first quarter of the time (of memory the least value of each window), ± twice its standard error. Flat: no more than that, or than 16 MiB resident, 8 MiB heap, 10 descriptors or resources, 100 ms.',
    '',
  ].join('\n');
}

function markdown(head: string[], rows: string[][]): string[] {
  return [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
}

/** One panel for each series, over time. */
export function chart(samples: readonly Sample[], verdicts: readonly Verdict[]): string {
  const end = samples.at(-1)?.seconds ?? 1;
  const panels = NAMES.map((name, index) => {
    const top = TOP + index * HEIGHT;
    const most = Math.max(...samples.map((one) => one[name])) * 1.1 || 1;
    const x = (seconds: number) => (LEFT + (seconds / end) * (WIDTH - LEFT - 20)).toFixed(1);
    const y = (value: number) => (top + (HEIGHT - 30) * (1 - value / most)).toFixed(1);
    const path = samples.map((one) => `${x(one.seconds)},${y(one[name])}`).join(' ');
    const flat = verdicts.find((verdict) => verdict.name === name)?.flat;
    return [
      `<text x="12" y="${top + 20}">${titleOf(name)}</text>`,
      `<text x="12" y="${top + 38}" fill="#666">at most ${number(most / 1.1)}, ${flat ? 'flat' : 'grows'}</text>`,
      `<line x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(0)}" y2="${y(0)}" stroke="#bbb"/>`,
      `<polyline points="${path}" fill="none" stroke="${flat ? '#2e7d4f' : '#b3412e'}" stroke-width="1.5"/>`,
    ].join('');
  });
  const height = TOP + NAMES.length * HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="22" font-size="14">The gateway's process over ${(end / 60).toFixed(0)} minutes at full load, each from 0</text>
${panels.join('\n')}
</svg>
`;
}

function titleOf(name: SeriesName): string {
  const { label, unit } = SERIES[name];
  return unit === '' ? label : `${label} (${unit})`;
}

function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1);
}
