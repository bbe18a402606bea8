import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../conpaas/package-root.js';

/** A file of the package, whether this runs from dist or from the sources. */
export function packageFile(path: string): string {
  return join(packageRoot(), path);
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
