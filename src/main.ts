import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import type { Config } from './config.js';
import { openGateway } from './gateway.js';

/**
 * By so many per cent the heap may grow before the whole of it is searched for garbage. By itself V8 takes as little as ten under load,
 * and counts the bytes of an upload that pass by: it then searches everything anew for every 25 MB of them.
 */
const HEAP_GROWTH = 100;

export interface Surroundings {
  stdout: NodeJS.WritableStream;
  /** Aborts when the process is asked to end. */
  interrupted: AbortSignal;
}

/** Runs a gateway until it is interrupted. Prints its addresses when it is ready, and only then. */
export async function main(config: Config, { stdout, interrupted }: Surroundings): Promise<void> {
  // Store, keys and artefacts are this user's alone.
  process.umask(0o077);
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const gateway = await openGateway(config);
  try {
    const addresses = await gateway.listen();
    const width = Math.max(...addresses.map(({ name }) => name.length));
    const lines = addresses.map(({ name, url }) => `${name.padEnd(width)}  ${url}\n`);
    stdout.write(lines.join(''));
    const password = gateway.generatedPassword;
    if (password !== undefined)
      stdout.write(`First start: the user is admin, the password ${password} (shown this once).\n`);
    if (!interrupted.aborted) await once(interrupted, 'abort');
  } finally {
    await gateway.close();
  }
}
