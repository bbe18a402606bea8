import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../domain/errors.js';

/** The folder of this package, whether this runs from its build or from its sources. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    if (dirname(folder) === folder) throw new Fault('Internal Failure', 'The package has no package.json.');
    folder = dirname(folder);
  }
  return folder;
}

/** A file of the build. Throws Fault ServiceUnavailable where there is no build. */
export function builtFile(...path: string[]): string {
  const file = join(packageRoot(), 'dist', ...path);
  if (existsSync(file)) return file;
  throw new Fault(
    'ServiceUnavailable',
    `${join('dist', ...path)} is missing: build the package first (npm run build).`,
  );
}
