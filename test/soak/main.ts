import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { postgresMissing } from '../support/postgres.js';
import { chart, table } from './report.js';
import { LEAKS, type SoakOptions, soak } from './run.js';
import type { Sample } from './samples.js';
import { judge } from './verdict.js';

const HELP = `npm run soak -- [options]
  --minutes N     of load (default 10); rests in which memory and handles are judged come on top
  --seed TEXT     printed; random by default
  --store NAME    sqlite (default) or postgres
  --clients N     that change things, without pauses (default 8)
  --readers N     that read without pauses (default 8)
  --leak KIND     makes the gateway leak, to see that it is seen: ${LEAKS.join(', ')}
Writes soak.md and soak.svg to bench/results (not with --leak); exit code 1 unless everything is proven to be flat.`;
const RESULTS = join(import.meta.dirname, '../../bench/results');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(randomInt(1, 1_000_000)) },
    store: { type: 'string', default: 'sqlite' },
    clients: { type: 'string', default: '8' },
    readers: { type: 'string', default: '8' },
    leak: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const { seed, store } = values;
const [minutes, clients, readers] = [values.minutes, values.clients, values.readers].map(Number) as [
  number,
  number,
  number,
];
const leak = LEAKS.find((kind) => kind === values.leak);
const wrong =
  !(minutes > 0 && clients > 0 && readers >= 0) || (store !== 'sqlite' && store !== 'postgres') || leak !== values.leak;
const missing = store === 'postgres' ? postgresMissing() : undefined;
if (values.help || wrong || missing) {
  process.stdout.write(`${missing ?? HELP}\n`);
  process.exit(values.help ? 0 : 2);
}

const say = (line: string) => process.stdout.write(`${line}\n`);
say(`soak, seed ${seed}, store ${store}, ${minutes} minutes${leak ? `, leaking ${leak}` : ''}`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
let told = 0;
const tell: SoakOptions['tell'] = (one, counts, isRest) => {
  if (isRest || told++ % 6 === 0) say(lineOf(one, counts, isRest));
};
const options = { seed, store: store as 'sqlite' | 'postgres', minutes, clients, readers, tell };
const run = await soak({ ...options, ...(leak && { leak }), signal: interrupted.signal }).catch((error: Error) => {
  say(`broken off: ${interrupted.signal.aborted ? error.message : error.stack}`);
  process.exit(1);
});

const { samples, rests, counts, violations } = run;
const verdicts = judge(rests);
const facts = {
  ...{ seed, store, minutes, date: new Date().toISOString().slice(0, 10) },
  requests: Object.entries(counts).reduce((sum, [what, times]) => sum + (what.startsWith('status') ? times : 0), 0),
  operations: counts['acknowledged'] ?? 0,
};
const text = table(facts, rests, samples, verdicts);
if (!leak) {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, 'soak.md'), text);
  writeFileSync(join(RESULTS, 'soak.svg'), chart(samples, rests, verdicts));
}
say(text);
for (const { subject, text: what } of violations) say(`WRONG, ${subject}: ${what}`);
const good = verdicts.every(({ finding }) => finding === 'flat') && violations.length === 0;
say(good ? 'nothing grows' : 'FAILED');
process.exit(good ? 0 : 1);

function lineOf(one: Sample, counts: Readonly<Record<string, number>>, isRest: boolean): string {
  const [time, resident, heap] = [one.seconds, one.resident, one.heap].map((value) => value.toFixed(0));
  const work = `acknowledged ${counts['acknowledged'] ?? 0}, read ${counts['status 200'] ?? 0}`;
  return `${time?.padStart(5)} s  ${isRest ? 'rest' : 'load'}  resident ${resident} MiB, heap ${isRest ? one.heap.toFixed(1) : heap} MiB, descriptors ${one.files}, resources ${one.resources}, loop p99 ${one.delay.toFixed(0)} ms · ${work}`;
}
