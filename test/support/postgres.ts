import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** A PostgreSQL server of its own in a temporary directory, reached by a Unix socket. */
export interface PostgresServer {
  /** A new, empty database. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** SIGKILL to the server; its sessions end when they notice. */
  kill(): Promise<void>;
  /** SIGKILL to the process of one session: the server then ends all of them, and recovers by itself. False: there is none. */
  killSession(choose: (pids: number[]) => number): boolean;
  /** Ends all sessions, as an administrator does; new ones are taken at once. */
  endSessions(): void;
  /** Resolves when it takes connections. */
  answers(): Promise<void>;
  /** After `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = '/usr/lib/postgresql';
const PATIENCE = 30_000;

/** Why it cannot be started here, or undefined. */
export function postgresMissing(): string | undefined {
  if (!binaries()) return `no PostgreSQL in ${ROOT}: apt-get install postgresql`;
  if (process.getuid?.() === 0 && !serverUser()) return 'PostgreSQL refuses root and there is no user postgres';
  return undefined;
}

export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries();
  if (!bin) throw new Error(postgresMissing());
  const folder = mkdtempSync(join(tmpdir(), 'coaps-pg-'));
  const user = process.getuid?.() === 0 ? serverUser() : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'coaps', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {
    ...user,
    cwd: folder,
    stdio: 'pipe',
  });
  const start = () =>
    spawn(
      join(bin, 'postgres'),
      ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'max_connections=60'],
      { ...user, cwd: folder, stdio: 'ignore' },
    );
  let server = start();
  const urlOf = (database: string) => `postgres://coaps@localhost/${database}?host=${encodeURIComponent(folder)}`;
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGINT');
      await once(server, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready(server, urlOf('postgres'));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    createDatabase: async () => {
      const name = `coaps_${randomBytes(6).toString('hex')}`;
      await query(urlOf('postgres'), `create database ${name}`);
      return urlOf(name);
    },
    dropDatabase: (url) => query(urlOf('postgres'), `drop database ${new URL(url).pathname.slice(1)} with (force)`),
    async kill() {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
    killSession(choose) {
      const sessions = sessionsOf(server.pid ?? 0);
      if (sessions.length > 0) process.kill(choose(sessions), 'SIGKILL');
      return sessions.length > 0;
    },
    endSessions() {
      for (const pid of sessionsOf(server.pid ?? 0)) process.kill(pid, 'SIGTERM');
    },
    answers: () => ready(server, urlOf('postgres')),
    async restart() {
      const deadline = Date.now() + PATIENCE;
      for (;;) {
        server = start();
        try {
          return await ready(server, urlOf('postgres'));
        } catch (error) {
          // Sessions of the one that was killed may still hold its shared memory.
          if (server.exitCode === null || Date.now() > deadline) throw error;
          await wait(50);
        }
      }
    },
    stop,
  };
}

/** Processes of this server that serve a client. */
function sessionsOf(server: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(/\) (?=[A-Z] )/);
        return (
          rest.split(' ')[1] === String(server) &&
          /^postgres: coaps /.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

function binaries(): string | undefined {
  if (!existsSync(ROOT)) return undefined;
  const newest = readdirSync(ROOT).sort((one, other) => Number(other) - Number(one));
  return newest.map((version) => join(ROOT, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

function serverUser(): { uid: number; gid: number } | undefined {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

async function ready(server: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await query(url, 'select 1');
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await wait(50);
    }
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // The query tells, too; unheard, a line that breaks as the server is killed would end this process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}
