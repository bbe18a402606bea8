import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keep } from './corpus.js';
import { TARGETS } from './targets/index.js';

const HELP = `npm run fuzz -- [options]
  --seconds N       for each target (default 120)
  --seed TEXT       printed; random by default
  --target NAME     ${TARGETS.map(({ name }) => name).join(', ')}; all by default
  --keep            adds inputs that reach new code to test/fuzz/corpus
Inputs that fail are written to test/fuzz/corpus, which "npm test" replays.`;
const WORKER = join(import.meta.dirname, 'worker.ts');
const TYPESCRIPT = join(import.meta.dirname, '../support/typescript.mjs');
/** Milliseconds without a sign of life. */
const HANGS = 60_000;
/** Bytes of an input that is worth keeping for its coverage. */
const WORTH = 2 * 1024;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(randomInt(1, 1_000_000)) },
    target: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const chosen = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
const seconds = Number(values.seconds);
if (values.help || chosen.length === 0 || !(seconds > 0)) {
  process.stdout.write(`${HELP}\n`);
  process.exit(values.help ? 0 : 2);
}

type Message =
  | { kind: 'failed'; input: string; text: string }
  | { kind: 'reached'; input: string }
  | { kind: 'progress'; tried: number; covered: number; gained: number; rss: number };

const say = (line: string) => process.stdout.write(`${line}\n`);
say(`fuzz, seed ${values.seed}, ${seconds} s for each of ${chosen.map(({ name }) => name).join(', ')}`);
let failures = 0;
for (const { name } of chosen) failures += await fuzz(name);
say(failures === 0 ? `seed ${values.seed}: nothing failed` : `seed ${values.seed}: ${failures} FAILED`);
process.exit(failures === 0 ? 0 : 1);

/** One target in a process of its own, which may hang or die. Returns how many different failures there were. */
async function fuzz(name: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const file = join(folder, 'input');
  const texts = new Set<string>();
  let last = '';
  const fail = (input: Buffer, text: string) => {
    // One fault has many inputs: where it comes from tells it.
    const origin = text.split('\n').slice(0, 4).join('\n').replace(/\d+/g, '0');
    if (texts.has(origin)) return;
    texts.add(origin);
    say(`\n${name} FAILED, input in ${keep(name, 'failed', input)}\n${text}`);
  };
  const child = fork(WORKER, [name, values.seed, String(seconds), file, values.keep ? '1' : '8'], {
    execArgv: ['--no-warnings', '--max-old-space-size=512', '--import', TYPESCRIPT],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const input = () => readFileSync(file);
  let watch: NodeJS.Timeout | undefined;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => {
      fail(input(), `nothing was heard for ${HANGS / 1000} s: it hangs`);
      child.kill('SIGKILL');
    }, HANGS);
  };
  alive();
  child.on('message', (message: Message) => {
    alive();
    if (message.kind === 'progress')
      last = `${name}: ${message.tried} inputs, ${message.covered} blocks covered (${message.gained} beyond the corpus), ${(message.rss / 1024 ** 2).toFixed(0)} MiB`;
    else if (message.kind === 'failed') fail(Buffer.from(message.input, 'base64'), message.text);
    else if (values.keep && message.input.length < WORTH) keep(name, 'reached', Buffer.from(message.input, 'base64'));
  });
  const ticking = setInterval(() => say(last), 10_000);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('exit', (...how) => resolve(how)),
  );
  clearInterval(ticking);
  clearTimeout(watch);
  if (code !== 0 && texts.size === 0) fail(input(), `the process ended: ${code ?? signal}`);
  rmSync(folder, { recursive: true, force: true });
  say(last);
  return texts.size;
}
