import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { chart } from './chart.mjs';
import { ROOT } from './processes.mjs';

/** Table, chart and figures of a run into bench/results. */
export function report(parts, { quick, seconds }) {
  const folder = join(ROOT, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const name = quick ? 'quick' : 'results';
  const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const lines = [
    '# Benchmark',
    '',
    `${new Date().toISOString().slice(0, 10)}, ${machine}; ${Math.round(seconds)} s in all${quick ? '; the short form, whose figures say little' : ''}. Load, gateway and`,
    'references share the machine. Each side of a ratio was measured next to the other in the same round; ratio is the median of the rounds, in',
    'brackets the lowest and the highest.',
    '',
    `![Ratios](${name}.svg)`,
    ...parts.flatMap(({ letter, title, rows }) => ['', `## ${letter}. ${title}`, '', ...table(rows)]),
    '',
  ];
  writeFileSync(join(folder, `${name}.md`), lines.join('\n'));
  writeFileSync(join(folder, `${name}.svg`), chart(parts));
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine, parts }, undefined, 1)}\n`);
  process.stdout.write(`\n${lines.join('\n')}\nWritten to ${folder}\n`);
}

function table(rows) {
  return [
    '| what | gateway | against | reference | ratio | aim | |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => {
      const { name, unit, ours, against, theirs, ratio, note = '' } = row;
      const spread =
        row.ratios.length > 1
          ? ` (${round(Math.min(...row.ratios))}–${round(Math.max(...row.ratios))}, n=${row.ratios.length})`
          : '';
      return `| ${name} | ${round(ours)} ${unit} | ${against} | ${round(theirs)} ${row.theirUnit ?? unit} | ${round(ratio)}${spread} | ${aimOf(row)} | ${note} |`;
    }),
  ];
}

function aimOf(row) {
  if (!row.aim) return '';
  const { of, atLeast, atMost } = row.aim;
  const goal = atLeast !== undefined ? `≥ ${atLeast}` : `≤ ${atMost}${of === 'ours' ? ` ${row.unit}` : ''}`;
  return `${goal} ${isMet(row) ? 'met' : '**missed**'}`;
}

export function isMet(row) {
  const { of, atLeast, atMost } = row.aim;
  const value = row[of];
  return atLeast !== undefined ? value >= atLeast : value <= atMost;
}

function round(value) {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
