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
  const folders = (machine['PATH'] ?? '').split(':').filter(isAbsolute);
  // Folders that the owner cannot enter (root's own) would only make a shell stumble.
  const usable = room.owner ? await filterAsync(folders, isReachable) : folders;
  const node = dirname(await reachableProgram(process.execPath, room));
  return {
    ...machine,
    PATH: [...new Set([node, ...usable])].join(':'),
    HOME: room.home,
    TMPDIR: room.temp,
    PWD: room.home,
  };
}

async function filterAsync<T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_item, index) => kept[index]);
}

/** Names that its owner may not set: they are how the agent speaks to the application. */
export function isReserved(name: string): boolean {
  return name === 'PORT' || name === 'HOST' || name.startsWith('COAPS_');
}
