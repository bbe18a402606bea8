import { AgentError } from '../agent-error.js';
import { findJava, INSTALL_JAVA } from './java.js';
import { findJetty } from './jetty.js';
import type { Command, Place, RunContext, Runtime } from './runtime.js';
import { type ServletApi, servletApiOf } from './servlet-api.js';
import { findTomcats } from './tomcat.js';

/** A program of this machine that runs wars. */
export interface ServletServer {
  /** e.g. `Tomcat 10.1.34` */
  version: string;
  api: ServletApi;
  failure: RegExp;
  command(java: string, context: RunContext, place: Place): Promise<Command>;
}

const INSTALL_SERVER = 'A server for wars is missing: apt-get install tomcat10, or set CATALINA_HOME.';
const INSTALL: Record<ServletApi, string> = {
  jakarta:
    'This war is written for Jakarta EE (jakarta.servlet), and this machine has no server for it: apt-get install tomcat10, or set CATALINA_HOME to a Tomcat 10 or later.',
  javax:
    'This war is written for Java EE (javax.servlet), and this machine has no server for it: apt-get install jetty9, or set CATALINA_HOME to a Tomcat 9.',
};

export const war: Runtime = {
  name: 'war',
  type: 'java',
  needs: 'a WEB-INF folder (war)',
  startSeconds: 180,
  recognises: (_folder, top) => top.has('WEB-INF'),
  detect: async (env) => {
    if (!(await findJava(env))) return { available: false, install: INSTALL_JAVA };
    const servers = await findServers(env);
    if (servers.length === 0) return { available: false, install: INSTALL_SERVER };
    return { available: true, version: servers.map(({ version }) => version).join(', ') };
  },
  prepare: async ({ folder, env }) => {
    await serverFor(folder, env);
  },
  command: async (context, place) => {
    const java = await findJava(context.env);
    if (!java) throw new AgentError('rejected', INSTALL_JAVA);
    const server = await serverFor(context.folder, context.env);
    return { ...(await server.command(java.program, context, place)), failure: server.failure };
  },
};

/** Throws AgentError `rejected` when no server of this machine can run the war. */
async function serverFor(folder: string, env: Readonly<Record<string, string>>): Promise<ServletServer> {
  const [api, servers] = [await servletApiOf(folder), await findServers(env)];
  const found = servers.find((server) => api === undefined || server.api === api);
  if (found) return found;
  throw new AgentError('rejected', api ? INSTALL[api] : INSTALL_SERVER);
}

async function findServers(env: Readonly<Record<string, string>>): Promise<ServletServer[]> {
  return [...(await findTomcats(env)), ...(await findJetty(env))];
}
