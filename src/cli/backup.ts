import { resolve } from 'node:path';
import { Command } from 'commander';
import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../config.js';
import { runStages, untilInterrupted } from './progress.js';
import type { Terminal } from './terminal.js';

/** `coaps backup FILE`: everything that a gateway needs, as of one moment. */
export function backupCommand(terminal: Terminal): Command {
  return new Command('backup')
    .description(
      'Writes store, artefacts, keys and certificates into one file, as of one moment; the gateway may run meanwhile.',
    )
    .argument('<file>', 'A new file. It holds keys and password hashes: it is made readable for you alone.')
    .option('--config <file>', 'The configuration (COAPS_CONFIG).')
    .action(async (name: string, { config: file }: { config?: string }) => {
      const { env, directory } = terminal;
      const config = loadConfig({ file, env, directory, adapters: ADAPTERS });
      const { writeBackup } = await import('../gateway/backup/backup.js');
      await runStages(
        [
          {
            title: `Backing up ${config.data}`,
            run: async (report) => {
              const told = untilInterrupted(report, terminal);
              const { rows, files, artefacts, size, warnings } = await writeBackup(
                config,
                resolve(directory, name),
                told,
              );
              warn(warnings, terminal);
              return `${name}: ${rows} rows, ${files} files, ${artefacts} artefacts, ${size} bytes`;
            },
          },
        ],
        terminal,
      );
    });
}

/** `coaps restore FILE`: back to what it was. */
export function restoreCommand(terminal: Terminal): Command {
  return new Command('restore')
    .description('Makes store, artefacts, keys and certificates what a backup holds, while no gateway runs.')
    .argument('<file>', 'Written by "coaps backup". It is compared with its checksums before anything changes.')
    .option('--replace', "Also where something is already: the data directory's contents are kept aside in it.")
    .option('--config <file>', 'The configuration (COAPS_CONFIG), which names data directory and database.')
    .action(async (name: string, { config: file, replace = false }: { config?: string; replace?: boolean }) => {
      const { env, directory } = terminal;
      const config = loadConfig({ file, env, directory, adapters: ADAPTERS });
      const { restoreBackup } = await import('../gateway/backup/restore.js');
      let kept: string | undefined;
      await runStages(
        [
          {
            title: `Restoring ${config.data}`,
            run: async (report) => {
              const told = untilInterrupted(report, terminal);
              const restored = await restoreBackup(config, resolve(directory, name), { replace }, told);
              warn(restored.warnings, terminal);
              kept = restored.aside;
              const { rows, files, artefacts, createdAt } = restored;
              return `Restored the state of ${createdAt}: ${rows} rows, ${files} files, ${artefacts} artefacts`;
            },
          },
        ],
        terminal,
      );
      if (kept !== undefined) terminal.stdout.write(`What was there before is in ${kept}.\n`);
      terminal.stdout.write('Never let two gateways run with the same state: both would work on the same platforms.\n');
    });
}

function warn(warnings: readonly string[], { stderr }: Terminal): void {
  for (const warning of warnings) stderr.write(`${warning}\n`);
}
