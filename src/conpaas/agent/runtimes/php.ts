import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AgentError } from '../agent-error.js';
import { makeOwned, writeTool } from '../room.js';
import { askVersion, findProgram, isExecutable } from './programs.js';
import type { Command, RunContext, Runtime } from './runtime.js';

const INSTALL_PHP = 'PHP is missing: apt-get install php-fpm php-mysql (or php-cli).';
/** Debian names FPM by its version. */
const FPM_NAMES = ['php-fpm', ...['8.4', '8.3', '8.2', '8.1', '8.0', '7.4'].map((version) => `php-fpm${version}`)];
/** `phpconf` of update_php_configuration, and any other directive by its name. */
const DIRECTIVE = /^[a-z][a-z0-9_.]{0,63}$/;
const MIB_PER_WORKER = 48;

/** Where Debian keeps FPM, which is in nobody's PATH there. */
const SYSTEM_PROGRAMS = '/usr/sbin';

/** PHP-FPM behind a small web server of ours; the web server of `php` itself where there is no FPM. */
export const php = phpOf(SYSTEM_PROGRAMS);

export function phpOf(systemPrograms: string): Runtime {
  return {
    name: 'php',
    type: 'php',
    needs: 'an index.php',
    startSeconds: 60,
    recognises: (_folder, top) => top.has('index.php'),
    detect: async (env) => {
      const program = (await findFpm(env, systemPrograms)) ?? (await findProgram('php', env));
      const version = program && (await askVersion(program, ['-v'], /PHP (\S+)/, env));
      return version ? { available: true, version } : { available: false, install: INSTALL_PHP };
    },
    command: async (context, place) => {
      const fpm = await findFpm(context.env, systemPrograms);
      return fpm ? await withFpm(context, fpm) : await withCli(context, place);
    },
  };
}

async function findFpm(env: Readonly<Record<string, string>>, systemPrograms: string): Promise<string | undefined> {
  for (const name of FPM_NAMES) {
    const own = join(systemPrograms, name);
    const found = (await isExecutable(own)) ? own : await findProgram(name, env);
    if (found) return found;
  }
  return;
}

/** The configuration is written anew for each start: its settings may have changed. */
async function withFpm({ folder, work, room, settings }: RunContext, fpm: string): Promise<Command> {
  const workers =
    settings.memory === undefined ? 10 : Math.min(20, Math.max(2, Math.floor(settings.memory / MIB_PER_WORKER)));
  const values = directives(settings.php, settings.memory, room.temp);
  const lines = [
    '[global]',
    'daemonize = no',
    // It is opened even when all goes to the error stream.
    'error_log = /dev/null',
    'log_limit = 8192',
    '[application]',
    'listen = @SOCKET@',
    'pm = ondemand',
    `pm.max_children = ${workers}`,
    'pm.process_idle_timeout = 30s',
    'clear_env = no',
    'catch_workers_output = yes',
    'decorate_workers_output = no',
    `chdir = ${folder}`,
    ...Object.entries(values).map(([name, value]) => `php_admin_value[${name}] = "${value}"`),
  ];
  const configuration = await writeTool(room, `fpm-${basename(work)}.conf`, `${lines.join('\n')}\n`);
  const program = join(room.tools, 'programs', 'php-front.js');
  return {
    command: 'node',
    args: ['--max-old-space-size=64', program, folder, fpm, configuration],
    cwd: folder,
    env: { NODE_OPTIONS: '' },
  };
}

async function withCli(
  { folder, work, room, settings, env }: RunContext,
  { host, port }: { host: string; port: number },
): Promise<Command> {
  const program = await findProgram('php', env);
  if (!program) throw new AgentError('rejected', INSTALL_PHP);
  await makeOwned(work, room.owner, (partial) => writeFile(join(partial, 'router.php'), ROUTER));
  const values = directives(settings.php, settings.memory, room.temp);
  const given = Object.entries(values).flatMap(([name, value]) => ['-d', `${name}=${value}`]);
  const args = [...given, '-S', `${host}:${port}`, '-t', folder, join(work, 'router.php')];
  return { command: program, args, cwd: folder, env: { PHP_CLI_SERVER_WORKERS: '4' } };
}

/** Throws AgentError `rejected` for what is no directive or could break out of its line. */
function directives(
  given: Readonly<Record<string, string>>,
  memory: number | undefined,
  temp: string,
): Record<string, string> {
  for (const [name, value] of Object.entries(given)) {
    if (DIRECTIVE.test(name) && /^[^"\\\u0000-\u001f]{0,1000}$/.test(value)) continue;
    throw new AgentError('rejected', `PHP has no directive ${JSON.stringify(name)} with that value.`);
  }
  return {
    ...(memory !== undefined && { memory_limit: `${Math.max(16, Math.floor(memory / 2))}M` }),
    upload_max_filesize: '128M',
    post_max_size: '130M',
    log_errors: 'On',
    ...given,
    sys_temp_dir: temp,
    upload_tmp_dir: temp,
    'session.save_path': temp,
  };
}

/** The server of the command line shows dotfiles if it is not told otherwise. */
const ROUTER = `<?php
if (preg_match('#/\\.(?!well-known/)#', rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?? ''))) {
  http_response_code(404);
  echo "Not Found\\n";
  return true;
}
return false;
`;
