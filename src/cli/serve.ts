import { Command } from 'commander';
import { ADAPTERS } from '../../adapters/registry.js';
import { settingsText } from '../config/help.js';
import { loadConfig } from '../config.js';
import type { Terminal } from './terminal.js';

export function serveCommand(terminal: Terminal): Command {
  return new Command('serve')
    .description('Runs the gateway until it is interrupted.')
    .option('--config <file>', 'The configuration (COAPS_CONFIG); without it coaps.yaml, when there is one.')
    .addHelpText('after', () => `\n${settingsText(ADAPTERS)}`)
    .action(async ({ config: file }: { config?: string }) => {
      const { env, directory } = terminal;
      // The gateway's parts take most of a second to load: the client's commands go without.
      const { main } = await import('../main.js');
      await main(loadConfig({ file, env, directory, adapters: ADAPTERS }), terminal);
    });
}
