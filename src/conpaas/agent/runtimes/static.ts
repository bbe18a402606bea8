import { join } from 'node:path';
import type { Runtime } from './runtime.js';

export const staticFiles: Runtime = {
  name: 'static',
  type: 'static',
  needs: 'an index.html',
  startSeconds: 30,
  recognises: (_folder, top) => top.has('index.html') || top.has('index.htm'),
  detect: async () => ({ available: true, version: '1' }),
  command: async ({ folder, room }) => {
    const program = join(room.tools, 'programs', 'static-server.js');
    return {
      command: 'node',
      args: ['--max-old-space-size=64', program, folder],
      cwd: folder,
      env: { NODE_OPTIONS: '' },
    };
  },
};
