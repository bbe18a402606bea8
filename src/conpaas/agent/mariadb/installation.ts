import { AgentError } from '../agent-error.js';
import { askVersion, findProgram } from '../runtimes/programs.js';
import type { Runtime } from '../runtimes/runtime.js';

/** Paths of MariaDB's own programs. */
export interface Installation {
  server: string;
  installer: string;
  client: string;
  dumper: string;
  upgrader: string;
}

const INSTALL = 'MariaDB is missing: apt-get install mariadb-server.';
const PROGRAMS = {
  server: 'mariadbd',
  installer: 'mariadb-install-db',
  client: 'mariadb',
  dumper: 'mariadb-dump',
  upgrader: 'mariadb-upgrade',
} as const;
/** Where systems keep servers, which no PATH of an ordinary user holds. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/libexec'];

type Environment = Readonly<Record<string, string>>;

/** The server of `mysql` services. */
export const mariadb: Pick<Runtime, 'name' | 'type' | 'detect'> = {
  name: 'mariadb',
  type: 'mysql',
  detect: async (env) => {
    const found = await find(env);
    const version = found && (await askVersion(found.server, ['--version'], /Ver (\d[\d.]*)-MariaDB/, env));
    return version ? { available: true, version } : { available: false, install: INSTALL };
  },
};

/** Throws AgentError `rejected` where it is missing. */
export async function installation(env: Environment): Promise<Installation> {
  const found = await find(env);
  if (found) return found;
  throw new AgentError('rejected', `This machine cannot run it: ${INSTALL}`);
}

async function find(env: Environment): Promise<Installation | undefined> {
  const searched = withServers(env);
  const found = await Promise.all(
    Object.entries(PROGRAMS).map(async ([role, name]) => [role, await findProgram(name, searched)] as const),
  );
  return found.every(([, path]) => path !== undefined)
    ? (Object.fromEntries(found) as unknown as Installation)
    : undefined;
}

/** The installer is a script that looks for other programs itself. */
export function withServers(env: Environment): Record<string, string> {
  return { ...env, PATH: [env['PATH'] ?? '', ...SERVER_FOLDERS].join(':') };
}
