import { join } from 'node:path';
import { AgentError } from '../agent-error.js';
import { JAR_NAME } from '../code.js';
import { findJava, heapOptions, INSTALL_JAVA } from './java.js';
import type { Runtime } from './runtime.js';

/** An executable jar, which the code store keeps as it came. */
export const jar: Runtime = {
  name: 'jar',
  type: 'java',
  needs: 'an executable jar',
  startSeconds: 120,
  recognises: (_folder, top) => top.has(JAR_NAME) && top.size === 1,
  detect: async (env) => {
    const java = await findJava(env);
    return java ? { available: true, version: java.version } : { available: false, install: INSTALL_JAVA };
  },
  command: async ({ folder, room, settings, env }, { host, port }) => {
    const java = await findJava(env);
    if (!java) throw new AgentError('rejected', INSTALL_JAVA);
    const args = [...heapOptions(settings.memory), `-Djava.io.tmpdir=${room.temp}`, '-jar', join(folder, JAR_NAME)];
    // Frameworks that know nothing of PORT read their own names.
    const names = ['SERVER', 'QUARKUS_HTTP', 'MICRONAUT_SERVER'];
    const own = names.flatMap((name) => [
      [`${name}_PORT`, String(port)] as const,
      [`${name}_${name === 'SERVER' ? 'ADDRESS' : 'HOST'}`, host] as const,
    ]);
    return { command: java.program, args, cwd: room.home, env: Object.fromEntries(own) };
  },
};
