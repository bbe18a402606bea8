import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgentError } from '../agent-error.js';
import { reachableFolder } from '../room.js';
import type { Command, RunContext, Runtime } from './runtime.js';

interface Package {
  name?: unknown;
  version?: unknown;
  main?: unknown;
  scripts?: { start?: unknown; prestart?: unknown };
  dependencies?: Record<string, unknown>;
}

export const nodejs: Runtime = {
  name: 'nodejs',
  type: 'nodejs',
  needs: 'a package.json with a start script or a main file',
  startSeconds: 60,
  recognises: (_folder, top) => top.has('package.json'),
  detect: async () => ({ available: true, version: process.versions.node }),
  prepare,
  command,
};

async function prepare(context: RunContext): Promise<void> {
  const { folder } = context;
  const { dependencies = {} } = await readPackage(folder);
  if (Object.keys(dependencies).length === 0 || existsSync(join(folder, 'node_modules'))) return;
  const isLocked = ['package-lock.json', 'npm-shrinkwrap.json'].some((name) => existsSync(join(folder, name)));
  const args = isLocked ? ['ci'] : ['install', '--no-package-lock'];
  context.doing(`npm ${args[0]}`);
  const npm = await findNpm();
  if (npm === undefined) {
    throw new AgentError(
      'failed',
      'The archive brings no node_modules, and this machine has no npm to install them (apt-get install npm).',
    );
  }
  const program = join(await reachableFolder(npm, context.room), 'bin', 'npm-cli.js');
  await context.run('node', [program, ...args, '--omit=dev', '--no-audit', '--no-fund', '--no-update-notifier'], {
    cwd: folder,
    env: { npm_config_cache: join(context.room.home, '.npm') },
  });
}

/** npm's own folder, beside the node that runs us. */
async function findNpm(): Promise<string | undefined> {
  const bin = dirname(process.execPath);
  const places = [
    join(bin, '..', 'lib', 'node_modules', 'npm'),
    '/usr/share/nodejs/npm',
    join(bin, 'node_modules', 'npm'),
  ];
  return places.find((place) => existsSync(join(place, 'bin', 'npm-cli.js')));
}

/** What `npm start` runs, without npm's own process in between: it would cost memory and stand in the way of signals. */
async function command({ folder, settings, env }: RunContext): Promise<Command> {
  const { name, version, main, scripts } = await readPackage(folder);
  const shared = {
    NODE_ENV: 'production',
    npm_lifecycle_event: 'start',
    npm_package_name: typeof name === 'string' ? name : '',
    npm_package_version: typeof version === 'string' ? version : '',
    PATH: `${join(folder, 'node_modules', '.bin')}:${env['PATH'] ?? ''}`,
    ...heapLimit(settings.memory, settings.variables['NODE_OPTIONS']),
  };
  const start = scripts?.start;
  if (typeof start === 'string' && start.trim() !== '') {
    const before = typeof scripts?.prestart === 'string' ? `${scripts.prestart} && ` : '';
    return { command: '/bin/sh', args: ['-c', before + start], cwd: folder, env: shared };
  }
  const file = ['server.js', typeof main === 'string' ? main : '', 'index.js', 'app.js'].find(
    (candidate) => candidate !== '' && existsSync(join(folder, candidate)),
  );
  if (file === undefined) {
    throw new AgentError('rejected', 'The package.json has neither a start script nor a main file that exists.');
  }
  return { command: 'node', args: [file], cwd: folder, env: shared };
}

/** The heap is most of a process, not all of it: stacks, buffers and code need the rest. */
export function heapLimit(memory: number | undefined, given: string | undefined): Record<string, string> {
  if (memory === undefined) return {};
  const limit = `--max-old-space-size=${Math.max(16, Math.floor(memory * 0.75))}`;
  return { NODE_OPTIONS: given === undefined ? limit : `${limit} ${given}` };
}

async function readPackage(folder: string): Promise<Package> {
  try {
    const found: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    if (typeof found === 'object' && found !== null) return found;
  } catch (cause) {
    throw new AgentError('rejected', 'The package.json is no valid JSON.', { cause });
  }
  throw new AgentError('rejected', 'The package.json holds no object.');
}
