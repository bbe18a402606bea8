/** How esbuild makes programs of this package's sources: for `dist`, and for the tests. */
import { readFile } from 'node:fs/promises';

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

/** `{"version":3,"sources":["package"],"mappings":"AAAA"}`: the first character alone. */
const NO_MAP = 'data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbInBhY2thZ2UiXSwibWFwcGluZ3MiOiJBQUFBIn0=';

/**
 * Packages are left out of the source maps: Node reads the maps of all that an error's stack leads through at the first one, and keeps
 * them in memory.
 */
const unmapped = {
  name: 'unmapped',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]node_modules[/\\].*\.[cm]?js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, 'utf8')}\n//# sourceMappingURL=${NO_MAP}`,
    }));
  },
};

export const bundling = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outbase: '.',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  plugins: [unmapped],
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
