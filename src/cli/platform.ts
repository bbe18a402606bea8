import { Command } from 'commander';
import type { AdapterLog } from '../../adapters/adapter.js';
import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../config.js';
import { CommandFault } from './fault.js';
import type { Terminal } from './terminal.js';

/** `coaps platform check NAME`: what a configured platform needs, looked at one by one. */
export function platformCommand(terminal: Terminal): Command {
  const command = new Command('platform').description('Looks after the configured platforms.');
  command
    .command('check')
    .description('Logs in to a platform, looks for what deployments need, and says what is missing.')
    .argument('<name>', 'Name in the configuration, e.g. CF.')
    .option('--config <file>', 'The configuration (COAPS_CONFIG).')
    .action(async (name: string, { config }: { config?: string }) => await check(name, config, terminal));
  return command;
}

async function check(name: string, file: string | undefined, terminal: Terminal): Promise<void> {
  const { env, directory } = terminal;
  const { platforms } = loadConfig({ file, env, directory, adapters: ADAPTERS });
  const platform = platforms.find((one) => one.name === name || one.aliases.includes(name));
  if (!platform)
    throw new CommandFault(
      `There is no platform "${name}"; there are ${platforms.map((one) => one.name).join(', ')}.`,
      2,
    );
  const { definition, options } = platform;
  if (platform.embedded) {
    terminal.stdout.write(
      `${name} is embedded: it runs with the gateway; "coaps getInformation" tells what it offers.\n`,
    );
    return;
  }
  if (!definition.check) {
    terminal.stdout.write(`The adapter ${definition.name} has nothing to check.\n`);
    return;
  }
  const log = warningsTo(terminal);
  const results = await definition.check(
    { platform: name, installation: 'coapscheck', options, log },
    terminal.interrupted,
  );
  for (const { ok, subject, text } of results)
    terminal.stdout.write(`${ok ? 'ok     ' : 'MISSING'}  ${subject}: ${text}\n`);
  const missing = results.filter(({ ok }) => !ok).length;
  if (missing > 0) throw new CommandFault(`Platform ${name} lacks ${missing} of ${results.length} things.`);
}

function warningsTo({ stderr }: Terminal): AdapterLog {
  const tell = (_fields: object, message: string) => void stderr.write(`${message}\n`);
  return { debug: () => undefined, info: () => undefined, warn: tell, error: tell };
}
