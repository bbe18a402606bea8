import { askVersion, findProgram } from './programs.js';
import type { Runtime } from './runtime.js';

/** For the scripts of generic services, which start whatever they like: no archive is recognised by them. */
export const bash: Pick<Runtime, 'name' | 'type' | 'detect'> = {
  name: 'bash',
  type: 'generic',
  detect: async (env) => {
    const program = await findProgram('bash', env);
    const version = program && (await askVersion(program, ['--version'], /version (\d+(?:\.\d+)*)/, env));
    if (version) return { available: true, version };
    return { available: false, install: 'Install bash (Debian: apt install bash).' };
  },
};
