/**
 * Builds all tests as the product itself is built, before they run: jest then loads some dozens of files for each of them instead of
 * seven hundred. Programs that tests start as processes of their own are built with them.
 */
import { readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, stop } from 'esbuild';
import { sharing } from '../../bundling.mjs';
import { quickJava } from './java.mjs';

const PROGRAMS = [
  'test/services/crashing-worker.ts',
  'test/store/acknowledging-writer.ts',
  'test/support/restoring.ts',
  'test/support/stocked-keys.ts',
];
/** Left where they are: they are jest's, or have files of their own. */
const TOOLS = ['ajv', 'ajv-formats', 'esbuild', 'supertest'];
const ROOT = join(import.meta.dirname, '../..');
const BUILDS = join(ROOT, 'node_modules/.cache/coaps-tests');

/** What asks for its place is told the place of its source. */
const placed = {
  name: 'placed',
  setup({ onLoad, onResolve }) {
    // The product's own sources get their keys from the stock; a test that asks for the real ones gets those.
    onResolve({ filter: /\/key-pair\.js$/ }, ({ resolveDir }) =>
      resolveDir.startsWith(join(ROOT, 'src')) ? { path: join(ROOT, 'test/support/stocked-key-pair.ts') } : undefined,
    );
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      return { loader: 'ts', contents };
    });
  },
};

export default async function setup({ testPathPatterns: { patterns } }) {
  removeLeftOvers();
  const outdir = join(BUILDS, String(process.pid));
  const java = quickJava();
  process.once('exit', () => {
    for (const folder of [outdir, java]) if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  const wanted = (file) => patterns.length === 0 || patterns.some((one) => new RegExp(one, 'i').test(file));
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(ROOT, 'test', file))
    .filter(wanted);
  await build({
    ...sharing,
    absWorkingDir: ROOT,
    outdir,
    entryPoints: [...tests, ...PROGRAMS],
    external: [...sharing.external, ...TOOLS],
    plugins: [...sharing.plugins, placed],
  });
  await stop();
  process.env.BUILT_TESTS = outdir;
  if (java !== undefined) process.env.JAVA_HOME = java;
}

/** Each run has a folder of its own; that of a run which was killed is still there. */
function removeLeftOvers() {
  let runs = [];
  try {
    runs = readdirSync(BUILDS);
  } catch {
    return;
  }
  for (const run of runs) {
    try {
      process.kill(Number(run), 0);
    } catch (error) {
      // Another user's run lives, too.
      if (error.code !== 'EPERM') rmSync(join(BUILDS, run), { recursive: true, force: true });
    }
  }
}
