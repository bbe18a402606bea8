import { dirname, isAbsolute } from 'node:path';
import { isReachable, type Room, reachableProgram } from './room.js';

/**
 * Variables of the machine, not of the gateway: where programs and certificates are, language and time zone. Nothing else of the
 * gateway's environment reaches an agent, and nothing else of an agent's reaches an application.
 */
const OF_THE_MACHINE = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'JAVA_HOME',
  'CATALINA_HOME',
  'JETTY_HOME',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

export function machineEnvironment(from: NodeJS.ProcessEnv): Record<string, string> {
  const kept = OF_THE_MACHINE.flatMap((name) => (from[name] ? [[name, from[name]] as const] : []));
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', ...Object.fromEntries(kept) };
}

/** The environment of everything that runs uploaded code, without port and variables. */
export async function applicationEnvironment(room: Room, from: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const machine = machineEnvironment(from);
  const path = machine['PATH'] ?? '';
  const usable = room.owner ? await reachablePath(path) : path;
  const node = dirname(await reachableProgram(process.execPath, room));
  return {
    ...machine,
    PATH: [...new Set([node, ...usable.split(':')])].join(':'),
    HOME: room.home,
    TMPDIR: room.temp,
    PWD: room.home,
  };
}

/** The folders of a PATH that everybody may enter: root's own are of no use to others. */
export async function reachablePath(path: string): Promise<string> {
  const folders = path.split(':').filter(isAbsolute);
  const reachable = await Promise.all(folders.map(isReachable));
  return folders.filter((_folder, index) => reachable[index]).join(':');
}

/** Names that its owner may not set: they are how the agent speaks to the application. */
export function isReserved(name: string): boolean {
  return name === 'PORT' || name === 'HOST' || name.startsWith('COAPS_');
}
