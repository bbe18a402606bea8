/** Loaded into a gateway under `--expose-gc`: collects its garbage when its parent asks for it by a signal, and answers with the same. */
import { readdirSync } from 'node:fs';
import { findSourceMap } from 'node:module';
import { join } from 'node:path';

const PROGRAMS = join(import.meta.dirname, '../../dist');

process.on('SIGUSR2', () => {
  globalThis.gc();
  process.kill(process.ppid, 'SIGUSR2');
});

// Node keeps a file's source map from the first error whose stack leads through it: here from the first look, within the warm-up.
process.once('SIGUSR2', () => {
  for (const file of readdirSync(PROGRAMS, { recursive: true })) {
    if (file.endsWith('.js')) findSourceMap(join(PROGRAMS, file));
  }
});
