import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file of the package, whether this runs from dist or from the sources. */
export function packageFile(path: string): string {
  const roots = ['../../../', '../../'].map((up) => new URL(up, import.meta.url));
  const root = roots.find((one) => existsSync(new URL('package.json', one)));
  if (!root) throw new Error('The package of the gateway is not complete: package.json is missing.');
  return fileURLToPath(new URL(path, root));
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
