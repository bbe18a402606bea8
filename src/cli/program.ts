import { Command } from 'commander';
import { packageVersion } from '../gateway/package.js';
import { actionCommands } from './actions.js';
import { backupCommand, restoreCommand } from './backup.js';
import type { GatewayClient } from './client.js';
import { demoCommand } from './demo.js';
import { platformCommand } from './platform.js';
import type { PushOptions } from './push.js';
import { serveCommand } from './serve.js';
import { login, logout, openSession, type SessionOptions } from './session.js';
import { stopCommand } from './stop.js';
import { storeCommand } from './store.js';
import type { Terminal } from './terminal.js';

/** Reads the command line and does what it says. */
export async function runProgram(terminal: Terminal, argv: readonly string[]): Promise<void> {
  const program = new Command('coaps')
    .description('One API for Cloud Foundry, OpenShift and ConPaaS: the gateway, and its client.')
    .version(packageVersion())
    .option('--url <url>', 'The gateway, with base (COAPS_URL), e.g. http://127.0.0.1:8080/CP-api/rest.')
    .option('--user <name[:password]>', 'Who you are (COAPS_USER, COAPS_PASSWORD); a missing password is asked for.')
    .option('--json', 'Print JSON for scripts.')
    .showHelpAfterError('Try --help.')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: (text) => terminal.stderr.write(text.replace(/^error: /, 'coaps: ')) });
  const open = (command: Command): Promise<GatewayClient> =>
    openSession(command.optsWithGlobals<SessionOptions>(), terminal);

  program.commandsGroup('The gateway on this machine:');
  for (const command of [
    serveCommand,
    demoCommand,
    stopCommand,
    backupCommand,
    restoreCommand,
    storeCommand,
    platformCommand,
  ])
    program.addCommand(command(terminal));
  program.commandsGroup('Your applications:');
  program.addCommand(pushCommand(open, terminal));
  program.addCommand(
    new Command('login')
      .description('Checks name and password at a gateway and keeps them, readable for you alone.')
      .argument('<url>')
      .action(async (url: string, _options, command: Command) => {
        const { user } = command.optsWithGlobals<SessionOptions>();
        terminal.stdout.write(`${await login(url, user, terminal)}\n`);
      }),
  );
  program.addCommand(
    new Command('logout').description('Forgets them.').action(() => {
      terminal.stdout.write(`${logout(terminal)}\n`);
    }),
  );
  program.commandsGroup('Every action of the API:');
  for (const command of actionCommands(open, terminal)) program.addCommand(command);
  for (const command of [...program.commands, ...program.commands.flatMap((one) => one.commands)])
    command.copyInheritedSettings(program);
  await program.parseAsync([...argv]);
}

function pushCommand(open: (command: Command) => Promise<GatewayClient>, terminal: Terminal): Command {
  return new Command('push')
    .description(
      'Brings a directory, zip or war to a URL; an application of that name gets a new version in its place.',
    )
    .argument('<path>')
    .option('--name <name>', 'Of the application; without it that of the directory or file.')
    .option('--app <appId>', 'Which one, where several have this name.')
    .option('--env-container <word>', 'What runs it, e.g. tomcat or node; without it the artefact tells.')
    .option('--platform <name>', 'Where it runs; without it the base of the URL tells.')
    .action(async (path: string, options: PushOptions, command: Command) => {
      const { push } = await import('./push.js');
      const pushed = await push(path, options, await open(command), terminal);
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      terminal.stdout.write(`${json ? JSON.stringify(pushed) : pushed.url}\n`);
    });
}
