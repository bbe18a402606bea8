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
  /** Aborts with the first Ctrl-C (or SIGTERM). */
  interrupted: AbortSignal;
}

/** The terminal of this process. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort(signal));
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
