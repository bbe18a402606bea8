import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { rawRequest } from '../support/raw-request.js';
import { type History, KILLS } from './history.js';

const PROGRAM = join(import.meta.dirname, 'gateway.mjs');
/** Milliseconds that a gateway may take until it serves, and until it ends after SIGTERM. */
const START_LIMIT = 180_000;
const STOP_LIMIT = 40_000;

/** One gateway on an address that stays; its process comes and goes. */
export interface GatewayPlace {
  name: string;
  /** e.g. `http://127.0.0.1:34567` */
  origin: string;
  /** Of health and metrics. */
  management: string;
  /** Whether it answers, as far as one knows. */
  isUp(): boolean;
  pid(): number | undefined;
  /** Starts it; tried again while `mayFail` says that it cannot come up now. */
  start(mayFail: () => boolean): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT after the milliseconds. */
  pause(milliseconds: number): Promise<void>;
  /** SIGTERM; a violation when it does not end cleanly. */
  stop(): Promise<void>;
}

export interface GatewaySettings {
  name: string;
  port: number;
  managementPort: number;
  directory: string;
  data: string;
  env: Record<string, string>;
  /** Of Node. */
  flags: readonly string[];
  leaseSeconds: number;
  log: string;
  history: History;
}

export function gatewayPlace(settings: GatewaySettings): GatewayPlace {
  const { name, port, directory, env, flags, leaseSeconds, log, history } = settings;
  const origin = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let wanted = false;
  let up = false;

  const launch = (): ChildProcess => {
    const output = openSync(log, 'a', 0o600);
    const inherited = Object.entries(process.env).filter(([key]) => !/^(COAPS_|NODE_OPTIONS$|JEST_)/.test(key));
    const args = ['--enable-source-maps', '--trace-warnings', ...flags, PROGRAM, String(leaseSeconds)];
    const made = spawn(process.execPath, args, {
      cwd: directory,
      env: {
        ...Object.fromEntries(inherited),
        ...env,
        COAPS_PORT: String(port),
        COAPS_DATA: settings.data,
        COAPS_MANAGEMENT_PORT: String(settings.managementPort),
      },
      stdio: ['ignore', 'ignore', output],
    });
    closeSync(output);
    made.once('exit', (code, signal) => {
      if (made !== child) return;
      up = false;
      // Once it served, only we end it.
      if (wanted) history.violation(KILLS, `gateway ${name} ended by itself: ${code ?? signal}; see ${log}`);
      wanted = false;
    });
    return made;
  };
  const answers = () =>
    rawRequest(`${origin}/rest`, { signal: AbortSignal.timeout(2000) }).then(
      () => true,
      () => false,
    );

  return {
    name,
    origin,
    management: `http://127.0.0.1:${settings.managementPort}`,
    isUp: () => up,
    pid: () => child?.pid,
    async start(mayFail) {
      const limit = Date.now() + START_LIMIT;
      for (let made = launch(); ; ) {
        child = made;
        if (await answers()) break;
        const ended = made.exitCode ?? made.signalCode;
        if (ended !== null && !mayFail())
          history.violation(KILLS, `gateway ${name} did not start: ${ended}; see ${log}`);
        if (Date.now() > limit) throw new Error(`gateway ${name} did not start within ${START_LIMIT} ms; see ${log}`);
        await wait(ended === null ? 50 : 500);
        if (ended !== null) made = launch();
      }
      wanted = true;
      up = true;
      history.tell(KILLS, `gateway ${name} serves`);
    },
    async kill() {
      await end(child, 'SIGKILL', () => {
        wanted = false;
        up = false;
      });
    },
    async pause(milliseconds) {
      up = false;
      child?.kill('SIGSTOP');
      await wait(milliseconds);
      child?.kill('SIGCONT');
      up = wanted;
    },
    async stop() {
      const ending = child;
      const limit = setTimeout(() => {
        history.violation(KILLS, `gateway ${name} did not end within ${STOP_LIMIT} ms of SIGTERM; see ${log}`);
        ending?.kill('SIGKILL');
      }, STOP_LIMIT);
      await end(ending, 'SIGTERM', () => {
        wanted = false;
        up = false;
      });
      clearTimeout(limit);
      if (ending && ending.exitCode !== 0)
        history.violation(KILLS, `gateway ${name} ended with ${ending.exitCode ?? ending.signalCode}; see ${log}`);
    },
  };
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals, before: () => void): Promise<void> {
  before();
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
