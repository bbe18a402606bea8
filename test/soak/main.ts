import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '../crash/client.js';
import { makeClients } from '../crash/clients.js';
import { randomOf } from '../crash/random.js';
import { openScene } from '../crash/scene.js';
import { work } from '../crash/workload.js';
import { rawRequest } from '../support/raw-request.js';
import { chart, table } from './report.js';
import { type Sample, sample } from './samples.js';
import { judge } from './verdict.js';

const HELP = `npm run soak -- [options]
  --minutes N     default 10
  --seed TEXT     printed; random by default
  --store NAME    sqlite (default) or postgres
  --clients N     that change things, without pauses (default 8)
  --readers N     that read without pauses (default 8)
Writes soak.md and soak.svg to bench/results; exit code 1 when something grows.`;
const RESULTS = join(import.meta.dirname, '../../bench/results');
const INTERVAL = 5000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(randomInt(1, 1_000_000)) },
    store: { type: 'string', default: 'sqlite' },
    clients: { type: 'string', default: '8' },
    readers: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  },
});
const { seed, store } = values;
const [minutes, count, readers] = [values.minutes, values.clients, values.readers].map(Number) as [
  number,
  number,
  number,
];
if (values.help || !(minutes > 0) || (store !== 'sqlite' && store !== 'postgres')) {
  process.stdout.write(`${HELP}\n`);
  process.exit(values.help ? 0 : 2);
}

const say = (line: string) => process.stdout.write(`${line}\n`);
say(`soak, seed ${seed}, store ${store}, ${minutes} minutes`);
const counts: Record<string, number> = {};
const add = (what: string) => {
  counts[what] = (counts[what] ?? 0) + 1;
};
const scene = await openScene({ store: store as 'sqlite' | 'postgres', leaseSeconds: 15, gateways: 1 });
const [gateway] = scene.gateways;
if (!gateway) throw new Error('there is no gateway');
const over = new AbortController();
const samples: Sample[] = [];
try {
  await gateway.start(() => false);
  const random = randomOf(seed);
  const setting = { count, largestArtefact: 200_000, pause: 0, signal: new AbortController().signal };
  const clients = await makeClients(scene, random, { ...setting, told: add });
  const working = [
    ...clients.map((client) => work(client, [], over.signal)),
    ...Array.from({ length: readers }, (_, index) => read(clients[index % clients.length] as Client, over.signal)),
  ];
  const failed = Promise.all(working);
  failed.catch(() => undefined);
  await Promise.race([look(`${gateway.management}/metrics`), failed]);
  over.abort();
  await failed;
  await gateway.stop();
} finally {
  await scene.close(scene.history.violations.length > 0);
}

const verdicts = judge(samples);
const facts = {
  ...{ seed, store, seconds: samples.at(-1)?.seconds ?? 0, date: new Date().toISOString().slice(0, 10) },
  requests: Object.entries(counts).reduce((sum, [what, times]) => sum + (what.startsWith('status') ? times : 0), 0),
  operations: counts['acknowledged'] ?? 0,
};
const text = table(facts, samples, verdicts);
mkdirSync(RESULTS, { recursive: true });
writeFileSync(join(RESULTS, 'soak.md'), text);
writeFileSync(join(RESULTS, 'soak.svg'), chart(samples, verdicts));
say(text);
for (const { subject, text: wrong } of scene.history.violations) say(`WRONG, ${subject}: ${wrong}`);
const good = verdicts.every(({ flat }) => flat) && scene.history.violations.length === 0;
say(good ? 'nothing grows' : 'FAILED');
process.exit(good ? 0 : 1);

/** Describes and lists, one request after the other. */
async function read({ apps, user, random }: Client, signal: AbortSignal): Promise<void> {
  const own = random.fork('reader');
  while (!signal.aborted) {
    const path = own.chance(0.2) || apps.length === 0 ? '/app' : `/app/${own.one(apps).appId}`;
    const { status } = await rawRequest(`${gateway?.origin}/CF-api/rest${path}`, { user });
    add(`status ${status}`);
  }
}

async function look(url: string): Promise<void> {
  const began = Date.now();
  while (Date.now() - began < minutes * 60_000) {
    const one = await sample(url, began);
    samples.push(one);
    if (samples.length % 6 === 1)
      say(
        `${one.seconds.toFixed(0).padStart(5)} s  resident ${one.resident.toFixed(0)} MiB, heap ${one.heap.toFixed(0)} MiB, descriptors ${one.files}, resources ${one.resources}, loop p99 ${one.delay.toFixed(0)} ms · acknowledged ${counts['acknowledged'] ?? 0}, read ${counts['status 200'] ?? 0}`,
      );
    await wait(INTERVAL);
  }
}
