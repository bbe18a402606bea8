import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { AgentError } from '../agent-error.js';
import { runStartupScript } from '../build.js';
import { type ProcessGroup, startGroup } from '../group.js';
import type { Program, ProgramOptions, Started, Way } from '../program.js';
import type { Address, DesiredApplication } from '../protocol.js';
import { ownFolder, writeSecret } from '../room.js';
import { accountStatements } from './accounts.js';
import { type Installation, installation, mariadb, withServers } from './installation.js';
import { databasePlace } from './place.js';
import { untilReady } from './ready.js';
import { createTools, LARGEST_PACKET, type Tools } from './tools.js';

/** A MariaDB server with a data directory that outlives its processes, its agent and the gateway. */
export interface DatabaseProgram extends Program {
  /** Every database of the running server, as SQL. Throws AgentError `rejected` while none runs. */
  dump(): Readable;
  /** Carries a dump out. Rejects with AgentError. */
  load(source: Readable): Promise<void>;
}

/** Recovery reads the whole log after a crash. */
const START_SECONDS = 300;

/** Many servers share a machine: each begins small. */
const SMALL = [
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=16M',
  '--key-buffer-size=1M',
  // Kernels bound it for a whole machine.
  '--innodb-use-native-aio=OFF',
  '--performance-schema=OFF',
];

export function mariadbProgram(options: ProgramOptions): DatabaseProgram {
  const { room, env, output, newMark, graceMs } = options;
  const place = databasePlace(room);
  let running: { group: ProcessGroup; tools: Tools } | undefined;

  const toolsFor = async (programs: Installation, password: string): Promise<Tools> => {
    const secret = await writeSecret(room, 'mariadb-client.cnf', `[client]\nuser=root\npassword=${password}\n`);
    return createTools({ room, env, newMark, programs, place, secret });
  };

  const start = async (wanted: DesiredApplication, { signal, doing }: Way): Promise<Started> => {
    const { listen } = wanted;
    if (!listen) throw new AgentError('rejected', 'A database server must be told where to listen.');
    const programs = await installation(env);
    await makeData(programs, { signal, doing });
    const { settings } = wanted;
    await runStartupScript({ folder: place.folder, room, env, output, signal, settings, doing }, newMark);
    // A new one for each start: nothing but this agent ever needs it.
    const password = randomBytes(18).toString('base64url');
    const tools = await toolsFor(programs, password);
    const accounts = await writeSecret(room, 'mariadb-init.sql', accountStatements(accountsOf(wanted), password));
    doing(`starting MariaDB on ${listen.host} port ${listen.port}`);
    output.note(`starting MariaDB on ${listen.host} port ${listen.port}`);
    const group = await startGroup(
      {
        command: programs.server,
        args: serverArguments(listen, accounts),
        cwd: place.folder,
        env,
        owner: room.owner,
        mark: newMark(),
      },
      output,
    );
    try {
      await untilReady({
        group,
        listen,
        uid: room.owner?.uid,
        tools,
        signal,
        seconds: wanted.startSeconds ?? START_SECONDS,
      });
      if (await isOfAnother()) {
        doing('bringing the tables of the server itself to its version');
        await tools.upgrade();
      }
    } catch (error) {
      // Before its end adds lines of its own.
      const lastLines = output.lastLines();
      await group.stop(graceMs);
      if (signal.aborted) throw new AgentError('superseded', 'The start was given up for a later request.');
      throw new AgentError('failed', `MariaDB did not start: ${(error as Error).message}`, { lastLines });
    }
    running = { group, tools };
    return { group, address: listen, runtime: 'mariadb' };
  };

  const serverArguments = ({ host, port }: Address, accounts: string): string[] => [
    '--no-defaults',
    `--datadir=${place.data}`,
    `--tmpdir=${room.temp}`,
    `--secure-file-priv=${room.temp}`,
    `--socket=${place.socket}`,
    `--pid-file=${join(place.data, 'mariadb.pid')}`,
    `--bind-address=${host}`,
    `--port=${port}`,
    `--init-file=${accounts}`,
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    LARGEST_PACKET,
    ...SMALL,
  ];

  /** Whole or not at all: a directory that was made half is made again. */
  const makeData = async ({ installer }: Installation, { signal, doing }: Way): Promise<void> => {
    await ownFolder(place.folder, room.owner);
    if (existsSync(place.data)) return;
    doing('making the data directory');
    output.note('making a new data directory');
    const group = await startGroup(
      {
        command: '/bin/sh',
        args: ['-c', MAKE_DATA, 'sh', installer],
        cwd: place.folder,
        env: withServers({ ...env, HOME: room.home }),
        owner: room.owner,
        mark: newMark(),
      },
      output,
    );
    const stop = () => void group.stop(0);
    signal.addEventListener('abort', stop, { once: true });
    const how = await group.ended.finally(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) throw new AgentError('superseded', 'The start was given up for a later request.');
    if (how === 'exit code 0') return;
    throw new AgentError('failed', `The data directory could not be made: ${how}.`, { lastLines: output.lastLines() });
  };

  /** Whether the data directory was last used by another version of the server. */
  const isOfAnother = async (): Promise<boolean> => {
    const found = await mariadb.detect(env);
    const notes = ['mariadb_upgrade_info', 'mysql_upgrade_info'].map((name) =>
      readFile(join(place.data, name), 'utf8'),
    );
    const texts = await Promise.all(notes.map((one) => one.catch(() => '')));
    return found.available && !texts.some((text) => text.startsWith(`${found.version}-`));
  };

  const toolsNow = (): Tools => {
    if (running && !running.group.hasEnded()) return running.tools;
    throw new AgentError('rejected', 'The database server does not run.');
  };

  return {
    prepare: async (_wanted, way) => makeData(await installation(env), way),
    start,
    async adapt(_running, before, wanted) {
      if (!isDeepStrictEqual(before.listen, wanted.listen)) return false;
      await toolsNow().execute([accountStatements(accountsOf(wanted))]);
      return true;
    },
    dump: () => toolsNow().dump(),
    load: (source) => toolsNow().execute(source),
  };
}

const MAKE_DATA = `rm -rf new && said=$("$1" --no-defaults --datadir="$PWD/new" --auth-root-authentication-method=normal \\
  --skip-test-db --skip-name-resolve --innodb-log-file-size=16M 2>&1) && mv new data || { echo "$said"; exit 1; }`;

function accountsOf({ settings }: DesiredApplication): Record<string, string> {
  return settings.accounts ?? {};
}
