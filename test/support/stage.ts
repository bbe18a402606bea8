import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { withStockedKeys } from './built.js';
import { type Child, type ChildOptions, processesOf, runCoaps, runScript } from './child-gateway.js';
import { speaker, type TestGateway } from './gateway.js';

export const PASSWORD = 'admin-of-the-test';

/** A folder for one test, with a data directory in it, and everything that was started there. */
export interface Stage {
  directory: string;
  data: string;
  /** Runs `coaps`, in the folder, as nobody in particular. */
  coaps(args: readonly string[], options?: ChildOptions): Child;
  /** `coaps serve` on free ports; resolves when it is ready. `script`: another program that prints what serve does. */
  serve(env?: Record<string, string>, script?: { path: string; args: string[] }): Promise<Served>;
  /** The processes that were started here, directly or not, and live. */
  processes(): number[];
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>;
}

export interface Served extends Pick<TestGateway, 'base' | 'origin' | 'request'> {
  child: Child;
  /** For the client's commands. */
  env: { COAPS_URL: string; COAPS_USER: string; COAPS_PASSWORD: string };
}

export async function openStage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'coaps-cli-'));
  // Applications with Unix ids of their own have to be able to walk to their folders below it.
  await chmod(directory, 0o755);
  const data = join(directory, 'data');
  const addresses = `127.${randomInt(2, 76)}.${randomInt(1, 250)}.0/24`;
  const children: Child[] = [];
  const keep = (child: Child) => {
    children.push(child);
    return child;
  };
  const coaps: Stage['coaps'] = (args, options) => keep(runCoaps(args, { directory, mark: directory, ...options }));
  return {
    directory,
    data,
    coaps,
    async serve(more, script) {
      const env = {
        COAPS_PORT: '0',
        COAPS_CONPAAS_PORT: '0',
        COAPS_CONPAAS_ADDRESSES: addresses,
        COAPS_DATA: data,
        COAPS_ADMIN_PASSWORD: PASSWORD,
        COAPS_LOG_LEVEL: 'warn',
        ...more,
      };
      const options = { directory, mark: directory, env, flags: withStockedKeys() };
      const child = script ? keep(runScript(script.path, script.args, options)) : coaps(['serve'], options);
      const [, base = ''] = await child.printed(/COAPS API\s+(\S+)\n/);
      return {
        ...speaker(base),
        child,
        env: { COAPS_URL: base, COAPS_USER: 'admin', COAPS_PASSWORD: PASSWORD },
      };
    },
    processes: () => processesOf(directory),
    async close() {
      for (const child of children) child.process.kill('SIGKILL');
      await Promise.all(children.map((child) => child.exited));
      await stopAll(data);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs it to its end. */
export async function finished(child: Child): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const code = await child.exited;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}
