import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Child {
  process: ChildProcess;
  /** Everything that it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the first match in stdout; rejects when it ends before, or after the seconds. */
  printed(pattern: RegExp, seconds?: number): Promise<RegExpMatchArray>;
  /** Exit code, or the signal's name. */
  exited: Promise<number | string>;
  kill(signal: NodeJS.Signals): Promise<number | string>;
}

export interface ChildOptions {
  env?: Record<string, string>;
  directory?: string;
  stdin?: string;
  /** A folder that stands in the PATH of the child and of everything that it starts: `processesOf` finds them by it. */
  mark?: string;
  /** Of Node's. */
  flags?: readonly string[];
}

/** `coaps …` as a process of its own, from dist, with an environment that holds nothing of this one's COAPS variables. */
export function runCoaps(args: readonly string[], options: ChildOptions = {}): Child {
  if (!existsSync(MAIN)) throw new Error('dist is missing: "npm run build" comes before these tests.');
  return runScript(MAIN, args, options);
}

/** Any script of Node's. */
export function runScript(
  script: string,
  args: readonly string[],
  { env, directory, stdin, mark, flags = [] }: ChildOptions = {},
): Child {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(COAPS_|NODE_OPTIONS$|JEST_)/.test(name));
  const child = spawn(process.execPath, [...flags, script, ...args], {
    env: {
      ...Object.fromEntries(inherited),
      PATH: [process.env['PATH'], ...(mark === undefined ? [] : [mark])].join(':'),
      XDG_CONFIG_HOME: '/nonexistent',
      ...env,
    },
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'close').then(([code, signal]) => (code as number | null) ?? String(signal));
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    printed: (pattern, seconds = 60) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(stdout);
          if (found) finish(() => resolve(found));
        };
        const complain = (what: string) => () =>
          finish(() =>
            reject(new Error(`${what} before it printed ${pattern}.\nstdout: ${stdout}\nstderr: ${stderr}`)),
          );
        const limit = setTimeout(complain(`${seconds} s passed`), seconds * 1000);
        const ended = complain('It ended');
        const finish = (settle: () => void) => {
          clearTimeout(limit);
          child.stdout?.off('data', look);
          child.off('close', ended);
          settle();
        };
        child.stdout?.on('data', look);
        child.on('close', ended);
        look();
      }),
    kill: async (signal) => {
      child.kill(signal);
      return await exited;
    },
  };
}

/** The living processes that carry this mark, this one's children and their detached ones alike. */
export function processesOf(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // A zombie has no environment any more.
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
      } catch {
        return false;
      }
    })
    .map(Number);
}
