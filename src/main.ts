import { once } from 'node:events';
import type { Config } from './config.js';
import { openGateway } from './gateway.js';

export interface Surroundings {
  stdout: NodeJS.WritableStream;
  /** Aborts when the process is asked to end. */
  interrupted: AbortSignal;
}

/** Runs a gateway until it is interrupted. Prints its addresses when it is ready, and only then. */
export async function main(config: Config, { stdout, interrupted }: Surroundings): Promise<void> {
  // Store, keys and artefacts are this user's alone.
  process.umask(0o077);
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
