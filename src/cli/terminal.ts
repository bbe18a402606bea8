import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** What a command sees of the world around it. */
export interface Terminal {
  env: NodeJS.ProcessEnv;
  directory: string;
  /** A person sits there and can be asked. */
  interactive: boolean;
  stdin: NodeJS.ReadStream;
  /** For results. */
  stdout: NodeJS.WriteStream;
  /** For progress and faults. */
  stderr: NodeJS.WriteStream;
  ask(question: string): Promise<string>;
  /** Without showing what is typed. */
  askSecret(question: string): Promise<string>;
  /** Aborts with the first Ctrl-C (or SIGTERM, or when the terminal is closed). */
  interrupted: AbortSignal;
}

/**
 * Milliseconds in which more signals mean the first one: `npm run` sends its child a Ctrl-C that the terminal has sent already. After
 * them another one ends the process at once.
 */
const SAME_SIGNAL = 1500;

/** The terminal of this process. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const interruption = new AbortController();
  let first: number | undefined;
  const interrupt = (signal: string) => {
    first ??= Date.now();
    if (signal !== 'SIGHUP' && Date.now() - first > SAME_SIGNAL) process.exit(130);
    interruption.abort(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // A reader that goes away (`coaps … | head`, a closed terminal) is no fault, and must not stop the clearing up.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  return {
    env,
    directory: process.cwd(),
    interactive: Boolean(stdin.isTTY && stderr.isTTY),
    stdin,
    stdout,
    stderr,
    ask: (question) => ask(question, stderr),
    askSecret: async (question) => {
      stderr.write(question);
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
      const answer = await ask('', silent);
      stderr.write('\n');
      return answer;
    },
    interrupted: interruption.signal,
  };

  async function ask(question: string, output: NodeJS.WritableStream): Promise<string> {
    const lines = createInterface({ input: stdin, output, terminal: true });
    lines.once('SIGINT', () => {
      stderr.write('\n');
      process.exit(130);
    });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  }
}
