import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A program of the tests, built beside them: named by its source, below `test`, without extension. */
export function builtProgram(name: string): string {
  return join(process.env['BUILT_TESTS'] ?? '', 'test', `${name}.js`);
}

/** Flags of Node's for a gateway that takes its keys from the stock of the tests. */
export function withStockedKeys(): string[] {
  return ['--import', pathToFileURL(builtProgram('support/stocked-keys')).href];
}
