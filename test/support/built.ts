import { join } from 'node:path';

/** A program of the tests, built beside them: named by its source, below `test`, without extension. */
export function builtProgram(name: string): string {
  return join(process.env['BUILT_TESTS'] ?? '', 'test', `${name}.js`);
}
