/**
 * What the gateway costs, each figure beside a reference that was measured in the same run. `npm run bench`, all of it, takes about ten
 * minutes; `npm run bench -- --only a,c` takes some parts, `--quick` small sizes, to see that it works.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as growth from './parts/growth.mjs';
import * as many from './parts/many-deploys.mjs';
import * as deploys from './parts/one-deploy.mjs';
import * as reads from './parts/reads.mjs';
import * as starts from './parts/starts.mjs';
import * as uploads from './parts/uploads.mjs';
import { stopAll } from './processes.mjs';
import { report } from './report.mjs';

const PARTS = { a: reads, b: uploads, c: deploys, d: many, e: starts, f: growth };
const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const letters = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = letters.filter((letter) => !PARTS[letter]);
if (unknown.length > 0) {
  process.stderr.write(`There is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.\n`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'coaps-bench-'));
const started = performance.now();
const clock = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s`;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}
try {
  const done = [];
  for (const letter of letters) {
    const { measure, title } = PARTS[letter];
    const say = (what) => process.stdout.write(`${clock()}  ${letter}  ${what}\n`);
    say(title);
    done.push({ letter, title, rows: await measure({ folder, quick: values.quick, say }) });
  }
  report(done, { quick: values.quick, seconds: (performance.now() - started) / 1000 });
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
