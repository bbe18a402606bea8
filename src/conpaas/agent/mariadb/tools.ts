import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { AgentError } from '../agent-error.js';
import { MARK_VARIABLE } from '../processes.js';
import type { ProgramOptions } from '../program.js';
import { APPLICATION_DATABASE } from './accounts.js';
import type { Installation } from './installation.js';
import type { DatabasePlace } from './place.js';

/** Speaks to a running server as its administrator, by its socket; the password stands in a file that only the owner may read. */
export interface Tools {
  /** Carries statements out, in the applications' database unless they name another. Rejects with AgentError `failed` and the server's words. */
  execute(statements: readonly string[] | Readable, signal?: AbortSignal): Promise<void>;
  /** Every database but the server's own, as SQL. The stream ends with an error when the dump is not whole. */
  dump(): Readable;
  /** Brings the server's own tables to its version. */
  upgrade(): Promise<void>;
}

export interface ToolsOptions extends Pick<ProgramOptions, 'room' | 'env' | 'newMark'> {
  programs: Installation;
  place: DatabasePlace;
  /** An option file with user and password. */
  secret: string;
}

/** Of a row, to and from the server: what was dumped can be loaded. */
export const LARGEST_PACKET = '--max-allowed-packet=64M';

/** Bytes of what a program says of its failure. */
const LONGEST_COMPLAINT = 4096;

export function createTools({ programs, place, secret, room, env, newMark }: ToolsOptions): Tools {
  const run = (program: string, ...args: string[]): ChildProcess =>
    spawn(program, [`--defaults-file=${secret}`, `--socket=${place.socket}`, ...args], {
      cwd: place.data,
      env: { ...env, [MARK_VARIABLE]: newMark() },
      ...(room.owner ?? {}),
      stdio: ['pipe', 'pipe', 'pipe'],
    });

  const toEnd = async (child: ChildProcess, input: Iterable<string> | Readable): Promise<void> => {
    child.stdout?.resume();
    const ended = endOf(child);
    ended.catch(() => {});
    // It stops reading when a statement fails, and says why; a source that breaks off must not pass for the end of the text.
    await pipeline(Readable.from(input), child.stdin as Writable).catch(() => child.kill('SIGKILL'));
    await ended;
  };

  return {
    execute: async (statements, signal) => {
      // Binary mode: the text cannot make the client read files or run programs.
      const child = run(
        programs.client,
        '--binary-mode',
        LARGEST_PACKET,
        '--local-infile=0',
        '--batch',
        '--connect-timeout=20',
        `--database=${APPLICATION_DATABASE}`,
      );
      const stop = () => void child.kill('SIGKILL');
      signal?.addEventListener('abort', stop, { once: true });
      await toEnd(child, statements).finally(() => signal?.removeEventListener('abort', stop));
    },
    dump: () => {
      const child = run(
        programs.dumper,
        ...[LARGEST_PACKET, '--all-databases', '--ignore-database=mysql', '--ignore-database=sys'],
        ...[
          '--single-transaction',
          '--quick',
          '--routines',
          '--events',
          '--hex-blob',
          '--default-character-set=utf8mb4',
        ],
      );
      child.stdin?.end();
      return whole(child);
    },
    upgrade: () => toEnd(run(programs.upgrader, '--silent'), []),
  };
}

/** Its output, which breaks off when the program fails. */
function whole(child: ChildProcess): Readable {
  const ended = endOf(child);
  ended.catch(() => {});
  const output = new PassThrough();
  output.once('close', () => void child.kill('SIGKILL'));
  pipeline(child.stdout as Readable, output, { end: false })
    .then(() => ended)
    .then(
      () => output.end(),
      (error: Error) => output.destroy(error),
    );
  return output;
}

async function endOf(child: ChildProcess): Promise<void> {
  const said = text(child.stderr as Readable).catch(() => '');
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (code === 0) return;
  const words = (await said).trim().slice(-LONGEST_COMPLAINT);
  throw new AgentError('failed', words || `It ended with ${signal ?? `exit code ${code}`}.`);
}
