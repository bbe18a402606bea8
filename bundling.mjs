/** How esbuild makes programs of this package's sources: for `dist`, and for the tests. */

/** Packages that stay where npm put them: for their binaries, or because they are rarely loaded or load files of their own. */
const KEPT = [
  '@aws-sdk/client-s3',
  '@kubernetes/client-node',
  '@node-rs/argon2',
  'better-sqlite3',
  'libxml2-wasm',
  'pg',
  'pino',
  'pino-pretty',
];

export const bundling = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outbase: '.',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
};

/** Several programs, with chunks for what they share. */
export const sharing = {
  ...bundling,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  external: KEPT,
  // For packages among the inlined ones that are older than modules.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
};
