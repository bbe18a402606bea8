import { NAMES, type Sample, SERIES, type SeriesName } from './samples.js';
import type { Verdict } from './verdict.js';

const [WIDTH, HEIGHT, LEFT, TOP] = [900, 120, 190, 40];
/** Of the table of samples under load. */
const ROWS = 12;

export interface SoakFacts {
  seed: string;
  store: string;
  minutes: number;
  requests: number;
  operations: number;
  date: string;
}

export function table(
  facts: SoakFacts,
  rests: readonly Sample[],
  samples: readonly Sample[],
  verdicts: readonly Verdict[],
): string {
  const every = Math.max(1, Math.floor(samples.length / ROWS));
  const shown = samples.filter((_, index) => index % every === 0 || index === samples.length - 1);
  const head = ['time', ...NAMES.map((name) => titleOf(name))];
  const rows = (those: readonly Sample[]) =>
    those.map((one) => [`${one.seconds.toFixed(0)} s`, ...NAMES.map((name) => number(one[name]))]);
  const judged = verdicts.map(({ name, first, last, growth, least, most, bound, finding }) => [
    ...[
      titleOf(name),
      number(first),
      number(last),
      signed(growth),
      `${signed(least)} to ${signed(most)}`,
      number(bound),
    ],
    finding === 'flat' ? 'flat' : `**${finding}**`,
  ]);
  return [
    `# Soak of ${facts.date}`,
    '',
    `${facts.minutes} minutes at full load in ${rests.length} rounds, store ${facts.store}, seed ${facts.seed}: ${facts.requests} requests, ${facts.operations} changes acknowledged, on all platforms. The load and the fake platforms share the machine with the gateway.`,
    '',
    'After each round everything is deleted, and the gateway is looked at when nothing is left: the least of five looks, each after a garbage collection. The first quarter of the time is warm-up.',
    '',
    ...markdown(['at rest', 'after warm-up', 'at the end', 'growth', 'between (95 %)', 'bound', 'verdict'], judged),
    '',
    'Growth: the median of the slopes between each two rests (Theil–Sen), over the judged time, with its bounds. Flat: it is proven to be below the bound; grows: proven to be above nothing, and not to be below the bound; unclear: neither.',
    '',
    'At rest:',
    '',
    ...markdown(head, rows(rests)),
    '',
    'Under load:',
    '',
    ...markdown(head, rows(shown)),
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

/** One panel for each series, over time; the rests as dots. */
export function chart(samples: readonly Sample[], rests: readonly Sample[], verdicts: readonly Verdict[]): string {
  const all = [...samples, ...rests];
  const end = Math.max(1, ...all.map(({ seconds }) => seconds));
  const panels = NAMES.map((name, index) => {
    const top = TOP + index * HEIGHT;
    const most = Math.max(...all.map((one) => one[name])) * 1.1 || 1;
    const x = (seconds: number) => (LEFT + (seconds / end) * (WIDTH - LEFT - 20)).toFixed(1);
    const y = (value: number) => (top + (HEIGHT - 30) * (1 - value / most)).toFixed(1);
    const path = samples.map((one) => `${x(one.seconds)},${y(one[name])}`).join(' ');
    const finding = verdicts.find((verdict) => verdict.name === name)?.finding;
    const color = finding === undefined || finding === 'flat' ? '#2e7d4f' : '#b3412e';
    const dots = rests.map((one) => `<circle cx="${x(one.seconds)}" cy="${y(one[name])}" r="3" fill="${color}"/>`);
    return [
      `<text x="12" y="${top + 20}">${titleOf(name)}</text>`,
      `<text x="12" y="${top + 38}" fill="#666">at most ${number(most / 1.1)}${finding ? `, ${finding}` : ''}</text>`,
      `<line x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(0)}" y2="${y(0)}" stroke="#bbb"/>`,
      `<polyline points="${path}" fill="none" stroke="#9aa7a0" stroke-width="1.5"/>`,
      ...(finding === undefined ? [] : dots),
    ].join('');
  });
  const height = TOP + NAMES.length * HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="22" font-size="14">The gateway's process over ${(end / 60).toFixed(0)} minutes of full load, and at rest between (dots), each from 0</text>
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

function signed(value: number): string {
  return `${value >= 0 ? '+' : ''}${number(value)}`;
}
