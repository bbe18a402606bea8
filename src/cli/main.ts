#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CommandFault } from './fault.js';
import { runProgram } from './program.js';
import { openTerminal } from './terminal.js';

const terminal = openTerminal();

try {
  await runProgram(terminal, process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has told its own complaint already; its exit code 0 is --help and --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { message, stack } = error as Error;
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0;
  if (error instanceof CommandFault) {
    const [first, ...rest] = message.trim().split('\n');
    // An application's last words come before the one line that says what failed.
    for (const line of rest) terminal.stderr.write(`  ${line}\n`);
    terminal.stderr.write(`coaps: ${first}\n`);
    return error.exitCode;
  }
  const isForPeople = ['ConfigFault', 'DirectoryHeld', 'AddressFault', 'Fault'].includes((error as Error).name);
  terminal.stderr.write(`coaps: ${isForPeople ? message : (stack ?? message)}\n`);
  return (error as Error).name === 'ConfigFault' ? 2 : 1;
}
