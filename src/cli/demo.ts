import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { ADAPTERS } from '../../adapters/registry.js';
import { type Config, loadConfig } from '../config.js';
import { stopAll } from '../conpaas/cloud/local.js';
import { directoryState } from '../gateway/data-directory.js';
import { packageFile } from '../gateway/package.js';
import type { Gateway } from '../gateway.js';
import { type Credentials, createClient, type GatewayClient } from './client.js';
import { CommandFault } from './fault.js';
import type { Pushed } from './push.js';
import { requestOf } from './scenario.js';
import type { Terminal } from './terminal.js';

const PREFIX = 'coaps-demo-';

/** `coaps demo`: a gateway with its embedded platform and an empty data directory, and the usage scenario on it. */
export function demoCommand(terminal: Terminal): Command {
  return new Command('demo')
    .description(
      'Shows it all on this machine: a gateway, its embedded platform, an application. Ctrl-C ends and removes it.',
    )
    .action(async () => {
      await removeLeftovers();
      const data = mkdtempSync(join(tmpdir(), PREFIX));
      const admin = {
        user: 'admin',
        password: terminal.env['COAPS_ADMIN_PASSWORD'] || randomBytes(9).toString('hex'),
      };
      const config = demoConfig(data, admin, terminal);
      const { openGateway } = await import('../gateway.js');
      const gateway = await openGateway(config);
      try {
        await show(gateway, admin, terminal);
      } catch (error) {
        // Whoever interrupts it in the middle of a step wants no complaint about that step.
        if (!terminal.interrupted.aborted) throw error;
      } finally {
        await gateway.close();
        await stopAll(data);
        rmSync(data, { recursive: true, force: true });
        terminal.stderr.write('The demo has ended; nothing of it is left.\n');
      }
    });
}

/** Free ports and addresses of its own, so that it runs beside anything; a variable that is set wins. */
function demoConfig(data: string, admin: Credentials, terminal: Terminal): Config {
  const env = {
    COAPS_PORT: '0',
    COAPS_CONPAAS_PORT: '0',
    COAPS_CONPAAS_ADDRESSES: `127.${randomInt(80, 250)}.${randomInt(1, 250)}.0/24`,
    COAPS_LOG_LEVEL: 'warn',
    ...terminal.env,
    COAPS_DATA: data,
    COAPS_ADMIN_PASSWORD: admin.password,
  };
  return loadConfig({ env, directory: data, adapters: ADAPTERS });
}

async function show(gateway: Gateway, admin: Credentials, terminal: Terminal): Promise<void> {
  const { stdout, stderr, interrupted } = terminal;
  const addresses = await gateway.listen();
  for (const { name, url } of addresses) stdout.write(`${name.padEnd(10)}  ${url}\n`);
  const base = addresses[0]?.url ?? '';
  const client = createClient(base, admin);
  const { push } = await import('./push.js');
  const pushed = await push(packageFile('examples/hello-node'), {}, client, terminal);
  await checkAnswer(pushed.url, interrupted);
  stdout.write(
    [
      '',
      `The example application answers at  ${pushed.url}`,
      '',
      'Look around in another terminal:',
      `  curl -u ${admin.user}:${admin.password} ${base}/app/${pushed.appId}`,
      `  COAPS_URL=${base} COAPS_USER=${admin.user}:${admin.password} npx coaps push examples/hello-static`,
      '',
      'Ctrl-C ends the demo and removes everything it made.',
      '',
    ].join('\n'),
  );
  if (!interrupted.aborted) await once(interrupted, 'abort');
  stderr.write('\nStopping …\n');
  await remove(client, pushed);
}

async function checkAnswer(url: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(url, { signal });
  if (!answer.ok || !(await answer.text()).includes('Hello from Node'))
    throw new CommandFault(`${url} answers ${answer.status}, but not with the page of the example.`);
}

/** As a user would: undeploy, delete. What this leaves ends with the data directory. */
async function remove(client: GatewayClient, { appId, envId }: Pushed): Promise<void> {
  for (const request of [requestOf('deleteApplication', { appId }), requestOf('deleteEnvironment', { envId })])
    (await client.send(request)).body.resume();
}

/** A demo that was killed could not clean up: the next one does. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const data = join(tmpdir(), name);
    const { uid } = lstatSync(data);
    if (uid !== process.getuid?.() || directoryState(data) !== 'free') continue;
    await stopAll(data);
    rmSync(data, { recursive: true, force: true });
  }
}
