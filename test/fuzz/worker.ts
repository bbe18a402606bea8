import { writeFileSync } from 'node:fs';
import { randomOf } from '../crash/random.js';
import { corpusOf } from './corpus.js';
import { watchCoverage } from './coverage.js';
import { mutate } from './mutate.js';
import { TARGETS } from './targets/index.js';

/**
 * Feeds one target until the time is up: `worker.ts TARGET SEED SECONDS FILE BATCH`. Each input is in FILE before it is tried, so that whoever
 * watches this process has it when it hangs or dies. Speaks to its parent by messages.
 */
const [name, seed = '1', seconds = '60', file = '', batch = '8'] = process.argv.slice(2);
const target = TARGETS.find((one) => one.name === name);
if (!target) throw new Error(`no target ${name}`);

/** Milliseconds for one input, and bytes by which the process may grow over all. */
const SLOW = 5000;
const GROWTH = 400 * 1024 ** 2;
/** Most inputs that are kept beside the seeds, the newest first. */
const POOL = 2000;

const tell = (message: object) => process.send?.(message);
const random = randomOf(`${seed}/${name}`);
const open = await target.open();
const coverage = watchCoverage(target.covers);
const pool = [...(await target.seeds()), ...corpusOf(target.name).map(({ bytes }) => bytes)];
const own: Buffer[] = [];
let fresh: Buffer[] = [];
let tried = 0;

async function attempt(input: Buffer): Promise<boolean> {
  writeFileSync(file, input);
  const began = performance.now();
  try {
    await open.run(input);
  } catch (error) {
    tell({ kind: 'failed', input: input.toString('base64'), text: (error as Error).stack ?? String(error) });
    return false;
  }
  tried += 1;
  const took = performance.now() - began;
  if (took > SLOW) tell({ kind: 'failed', input: input.toString('base64'), text: `it took ${took.toFixed(0)} ms` });
  return true;
}

for (const input of pool) await attempt(input);
const began = coverage.gained();
const memory = process.memoryUsage().rss;
const until = Date.now() + Number(seconds) * 1000;
let told = 0;
while (Date.now() < until) {
  const input = mutate(random, [...pool, ...own.slice(-POOL)], target.words);
  if (await attempt(input)) fresh.push(input);
  // Asking costs more than most inputs: all of a batch are worth a child when one of them has reached something.
  if (fresh.length >= Number(batch)) {
    if (coverage.gained() > 0) {
      own.push(...fresh);
      for (const one of fresh) tell({ kind: 'reached', input: one.toString('base64') });
    }
    fresh = [];
  }
  const { rss } = process.memoryUsage();
  if (rss - memory > GROWTH) {
    tell({
      kind: 'failed',
      input: input.toString('base64'),
      text: `the process grew by ${((rss - memory) / 1024 ** 2).toFixed(0)} MiB`,
    });
    break;
  }
  if (Date.now() - told > 1000) {
    told = Date.now();
    tell({ kind: 'progress', tried, covered: coverage.total, gained: coverage.total - began, rss });
  }
}
tell({
  kind: 'progress',
  tried,
  covered: coverage.total,
  gained: coverage.total - began,
  rss: process.memoryUsage().rss,
});
coverage.close();
await open.close();
process.disconnect?.();
