import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { postgresMissing } from '../support/postgres.js';
import { KINDS } from './chaos.js';
import { type CrashReport, runCrash } from './run.js';

const HELP = `npm run test:crash -- [options]
  --seed TEXT       decides what is done and what is killed; printed, random by default
  --minutes N       of work and kills (default 2); settling and checks come on top
  --store NAME      sqlite (one gateway) or postgres (two gateways, a server that is killed too; default)
  --clients N       default 8
  --lease SECONDS   of an operation's lease (default 15, the product's own)
  --kill KIND=N     weight of one kind: ${KINDS.join(', ')}; may be repeated, 0 for never
  --keep            keeps the logs also when nothing was wrong`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(1, 1_000_000)) },
    minutes: { type: 'string', default: '2' },
    store: { type: 'string', default: 'postgres' },
    clients: { type: 'string', default: '8' },
    lease: { type: 'string', default: '15' },
    kill: { type: 'string', multiple: true, default: [] },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const { seed, store, keep } = values;
const [minutes, clients, leaseSeconds] = [values.minutes, values.clients, values.lease].map(Number) as [
  number,
  number,
  number,
];
const weights = Object.fromEntries(
  values.kill.map((text): [string, number] => [text.split('=')[0] ?? '', Number(text.split('=')[1])]),
);
const wrong =
  Object.entries(weights).some(([kind, weight]) => !KINDS.some((known) => known === kind) || !(weight >= 0)) ||
  (store !== 'sqlite' && store !== 'postgres') ||
  ![minutes, clients, leaseSeconds].every((number) => number > 0);
const missing = store === 'postgres' ? postgresMissing() : undefined;
if (values.help || wrong || missing) {
  process.stdout.write(`${missing ?? HELP}\n`);
  process.exit(values.help ? 0 : 2);
}

const tell = (line: string) => process.stdout.write(`${line}\n`);
tell(`crash test, seed ${seed}, store ${store}, ${minutes} minutes, ${clients} clients`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
const report = await runCrash({
  ...{ seed, store: store as 'sqlite' | 'postgres', clients, leaseSeconds, weights, keep, tell },
  seconds: minutes * 60,
  pause: [3000, 9000],
  signal: interrupted.signal,
  interval: 10,
});
print(report);
process.exit(report.violations.length > 0 ? 1 : 0);

function print({ counts, kills, settling, deployed, pages, violations, histories, logs }: CrashReport): void {
  const rows = (numbers: Readonly<Record<string, number>>) =>
    Object.entries(numbers)
      .map(([what, number]) => `${what} ${number}`)
      .sort()
      .join(', ');
  tell(`answers: ${rows(counts)}`);
  tell(`killed: ${rows(kills)}`);
  tell(`at rest after ${settling.toFixed(0)} s; ${deployed} instances deployed, ${pages} pages read`);
  for (const { subject, lines } of histories) tell([`\nhistory of ${subject}:`, ...lines].join('\n'));
  for (const { subject, text, at } of violations) tell(`WRONG at ${at.toFixed(1)} s, ${subject}: ${text}`);
  if (logs !== undefined) tell(`logs: ${logs}`);
  tell(violations.length === 0 ? `seed ${seed}: everything that was acknowledged is there` : `seed ${seed}: FAILED`);
}
