import { Command } from 'commander';
import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../config.js';
import { CommandFault } from './fault.js';
import { runStages, untilInterrupted } from './progress.js';
import type { Terminal } from './terminal.js';

/** `coaps store move`: takes everything from the configured database to another one. */
export function storeCommand(terminal: Terminal): Command {
  const command = new Command('store').description("Looks after the gateway's database.");
  command
    .command('move')
    .description(
      'Copies the whole store into another, empty database, e.g. from SQLite to PostgreSQL, while no gateway runs.',
    )
    .option(
      '--to <url>',
      'The other database: postgres://user@host/database, without password (PGPASSWORD or ~/.pgpass has it), or sqlite:FILE. ' +
        'Without it COAPS_MOVE_TO, which may hold the password.',
    )
    .option('--config <file>', 'The configuration (COAPS_CONFIG), which names data directory and database.')
    .action(async ({ to, config: file }: { to?: string; config?: string }) => await move(to, file, terminal));
  return command;
}

async function move(given: string | undefined, file: string | undefined, terminal: Terminal): Promise<void> {
  const { env, directory } = terminal;
  const to = target(given, env['COAPS_MOVE_TO']);
  const config = loadConfig({ file, env, directory, adapters: ADAPTERS });
  const { moveStore } = await import('../gateway/store-move.js');
  const stage = {
    title: `Moving the store to ${withoutPassword(to)}`,
    run: async (report: (text: string) => void) => {
      const { rows, tables } = await moveStore(config, to, untilInterrupted(report, terminal));
      return `Moved ${rows} rows in ${tables} tables to ${withoutPassword(to)}; counts and digests agree`;
    },
  };
  await runStages([stage], terminal);
  terminal.stdout.write(
    'Name the new database in COAPS_DATABASE_URL (or database in coaps.yaml) before the next start. The old one stays as it was: keep it aside, and let no gateway start on it.\n',
  );
}

function target(given: string | undefined, variable: string | undefined): string {
  if (given !== undefined) refusePassword(given);
  const to = given ?? (variable || undefined);
  if (to === undefined) throw new CommandFault('Name the other database with --to or COAPS_MOVE_TO.', 2);
  if (!/^sqlite:./.test(to) && !(/^postgres(ql)?:/.test(to) && URL.canParse(to))) {
    throw new CommandFault('The other database is named postgres://user@host/database or sqlite:FILE.', 2);
  }
  return to;
}

/** Everybody on the machine sees the arguments of a process. */
function refusePassword(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || (parsed.password === '' && !parsed.searchParams.has('password'))) return;
  throw new CommandFault(
    'A password in the command line is seen by everybody on this machine, and the shell keeps it: put the URL into COAPS_MOVE_TO, or the password into PGPASSWORD.',
    2,
  );
}

function withoutPassword(url: string): string {
  if (url.startsWith('sqlite:')) return url;
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}
