/**
 * Builds `dist`: each program as one file, with the chunks that it shares with the others. A process then reads some dozens of files
 * instead of seven hundred, which halves the time until it does something. Types are checked by `npm run types`.
 */
import { readFile, rm } from 'node:fs/promises';
import { build } from 'esbuild';

/** What is started, and what those import who embed a gateway in a program of theirs. */
const ENTRIES = [
  'src/cli/main.ts',
  'src/conpaas/agent/main.ts',
  'src/conpaas/system.ts',
  'src/config.ts',
  'src/gateway.ts',
  'src/gateway/log.ts',
  'src/services/conpaas-users.ts',
  'src/services/specs.ts',
  'src/services/users.ts',
  'src/store/open.ts',
  'adapters/registry.ts',
  'adapters/cloudfoundry/definition.ts',
  'adapters/memory/definition.ts',
];
/** Copied beside applications one by one, and run there. */
const PROGRAMS = ['php-front', 'static-server'].map((name) => `src/conpaas/agent/programs/${name}.ts`);
/** Packages of very many modules. The others stay where npm put them, some for their binaries. */
const INLINED = ['@peculiar/x509', 'axios', 'fast-xml-parser', 'kysely', 'zod'];

const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outdir: 'dist',
  outbase: '.',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
};

await rm('dist', { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ENTRIES,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  external: Object.keys(dependencies).filter((name) => !INLINED.includes(name)),
  // For packages among the inlined ones that are older than modules.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
await build({ ...common, entryPoints: PROGRAMS });
