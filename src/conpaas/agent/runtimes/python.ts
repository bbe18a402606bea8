import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../agent-error.js';
import { makeOwned, writeTool } from '../room.js';
import { askVersion, findProgram } from './programs.js';
import type { Command, RunContext, Runtime } from './runtime.js';

const INSTALL_PYTHON = 'Python is missing: apt-get install python3 python3-venv.';

/** A WSGI application, or a script that listens by itself. */
export const python: Runtime = {
  name: 'python',
  type: 'python',
  needs: 'an app.py, a wsgi.py or a requirements.txt',
  startSeconds: 60,
  recognises: (_folder, top) => ['app.py', 'wsgi.py', 'requirements.txt', 'manage.py'].some((name) => top.has(name)),
  detect: async (env) => {
    const program = await findProgram('python3', env);
    const version = program && (await askVersion(program, ['--version'], /Python (\S+)/, env));
    return version ? { available: true, version } : { available: false, install: INSTALL_PYTHON };
  },
  prepare,
  command,
};

/** Requirements go into an environment of the version's own. */
export async function prepare({ folder, work, room, env, doing, run }: RunContext): Promise<void> {
  const requirements = join(folder, 'requirements.txt');
  if (!existsSync(requirements)) return;
  const program = await findProgram('python3', env);
  if (!program) throw new AgentError('rejected', INSTALL_PYTHON);
  await makeOwned(work, room.owner, async () => {});
  const venv = join(work, 'venv');
  doing('python3 -m venv');
  await run(program, ['-m', 'venv', venv]);
  doing('pip install');
  const options = ['--disable-pip-version-check', '--no-input', '--no-cache-dir', '--quiet'];
  await run(join(venv, 'bin', 'python'), ['-m', 'pip', 'install', ...options, '-r', requirements], { cwd: folder });
}

/** Where the programs of its environment are; in front of the PATH. */
export function pythonPath(work: string): string | undefined {
  const bin = join(work, 'venv', 'bin');
  return existsSync(bin) ? bin : undefined;
}

async function command(context: RunContext, { host, port }: { host: string; port: number }): Promise<Command> {
  const { folder, work, room, env } = context;
  const own = pythonPath(work);
  const path = own === undefined ? (env['PATH'] ?? '') : `${own}:${env['PATH'] ?? ''}`;
  const shared = { PATH: path, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const target = await targetOf(folder);
  if ('script' in target) return { command: 'python3', args: [target.script], cwd: folder, env: shared };
  const gunicorn = await findProgram('gunicorn', { PATH: path });
  if (gunicorn) {
    const args = ['--bind', `${host}:${port}`, '--access-logfile', '-', '--threads', '8', target.module];
    return { command: gunicorn, args, cwd: folder, env: shared };
  }
  const server = await writeTool(room, 'wsgi_server.py', WSGI_SERVER);
  return { command: 'python3', args: [server, target.module], cwd: folder, env: shared };
}

/** wsgi.py is a WSGI module by its name; app.py is one when it defines an application and does not start a server itself. */
async function targetOf(folder: string): Promise<{ script: string } | { module: string }> {
  if (existsSync(join(folder, 'wsgi.py'))) return { module: 'wsgi' };
  if (existsSync(join(folder, 'app.py'))) {
    const text = await readFile(join(folder, 'app.py'), 'utf8');
    const listens = /__main__|\.run\(|serve_forever|serve\(/.test(text);
    return !listens && /^(app|application)\s*=/m.test(text) ? { module: 'app' } : { script: 'app.py' };
  }
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && existsSync(join(folder, entry.name, 'wsgi.py'))) return { module: `${entry.name}.wsgi` };
  }
  throw new AgentError('rejected', 'The archive has requirements.txt, but neither app.py nor wsgi.py nor a Procfile.');
}

/** For applications that bring no server. */
const WSGI_SERVER = `import importlib, os, socketserver, sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

class Handler(WSGIRequestHandler):
    def address_string(self):
        return self.client_address[0]

sys.path.insert(0, os.getcwd())
module = importlib.import_module(sys.argv[1])
application = getattr(module, "application", None) or getattr(module, "app", None)
if application is None:
    sys.exit("The module %s defines neither application nor app." % sys.argv[1])
make_server(os.environ["HOST"], int(os.environ["PORT"]), application, Server, Handler).serve_forever()
`;
