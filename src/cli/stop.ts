import { Command } from 'commander';
import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../config.js';
import { stopAll } from '../conpaas/cloud/local.js';
import { directoryState } from '../gateway/data-directory.js';
import { CommandFault } from './fault.js';
import type { Terminal } from './terminal.js';

/** `coaps stop --all`: ends the embedded applications of a data directory, with or without a gateway. */
export function stopCommand(terminal: Terminal): Command {
  return new Command('stop')
    .description('Ends every embedded application of a data directory, whether a gateway runs or not.')
    .option('--all', 'Yes, all of them.')
    .option('--config <file>', 'The configuration (COAPS_CONFIG), which names the data directory.')
    .action(async ({ all, config: file }: { all?: boolean; config?: string }) => {
      if (!all) throw new CommandFault('Say --all: this ends every embedded application of the data directory.', 2);
      const { env, directory } = terminal;
      const { data } = loadConfig({ file, env, directory, adapters: ADAPTERS });
      if (directoryState(data) === 'held')
        terminal.stderr.write(
          'A gateway runs on this directory and will start its applications again: end it first.\n',
        );
      const count = await stopAll(data);
      terminal.stdout.write(`Ended ${count} ${count === 1 ? 'agent' : 'agents'} of ${data}.\n`);
    });
}
