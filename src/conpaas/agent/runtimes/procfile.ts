import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../agent-error.js';
import { heapLimit, nodejs } from './nodejs.js';
import { prepare as preparePython, pythonPath } from './python.js';
import type { Runtime } from './runtime.js';

/** The `web:` line, in a shell; dependencies of Node and Python are installed before. */
export const procfile: Runtime = {
  name: 'procfile',
  type: 'nodejs',
  also: ['python'],
  needs: 'a Procfile with a web line',
  startSeconds: 60,
  recognises: (_folder, top) => top.has('Procfile'),
  detect: async () => ({ available: true, version: '1' }),
  prepare: async (context) => {
    await webLine(context.folder);
    if (existsSync(join(context.folder, 'package.json'))) await nodejs.prepare?.(context);
    await preparePython(context);
  },
  command: async (context) => {
    const { folder, work, env, settings } = context;
    const folders = [join(folder, 'node_modules', '.bin'), pythonPath(work), env['PATH']];
    return {
      command: '/bin/sh',
      args: ['-c', await webLine(folder)],
      cwd: folder,
      env: {
        PATH: folders.filter((one) => one !== undefined).join(':'),
        PYTHONUNBUFFERED: '1',
        ...heapLimit(settings.memory, settings.variables['NODE_OPTIONS']),
      },
    };
  },
};

async function webLine(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'Procfile'), 'utf8');
  const command = /^web:[ \t]*(\S.*)$/m.exec(text.replaceAll('\r', ''))?.[1];
  if (command !== undefined) return command;
  throw new AgentError('rejected', 'The Procfile has no line "web: <command>".');
}
