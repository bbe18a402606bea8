import { rawRequest } from '../support/raw-request.js';
import type { Client } from './client.js';
import type { Random } from './random.js';
import { ADMIN, type Scene } from './scene.js';
import { speakerOf } from './speaker.js';

export interface ClientSettings {
  count: number;
  /** Bytes. */
  largestArtefact: number;
  /** Longest pause between two actions, in milliseconds. */
  pause: number;
  /** Hears what came of everything: `acknowledged`, `lost`, `status 503`, … */
  told(what: string): void;
  /** Ends every waiting. */
  signal: AbortSignal;
}

const TENANTS = ['red', 'green', 'blue'];
/** By client; every application of the embedded platform is several processes. */
const PLATFORMS = [['CF', 'OS'], ['CP'], ['OS', 'CF'], ['CF', 'OS', 'CP']];

/** Users of several tenants, each with a client of its own. */
export async function makeClients(
  { gateways, history }: Scene,
  random: Random,
  { count: clients, largestArtefact, pause, told: count, signal }: ClientSettings,
): Promise<Client[]> {
  const origin = gateways[0]?.origin ?? '';
  const made: Client[] = [];
  for (let index = 1; index <= clients; index++) {
    const tenant = TENANTS[index % TENANTS.length];
    const name = `c${index}`;
    const user = `${name}@${tenant}:password of ${name}`;
    const [login, password] = user.split(':');
    const body = `<user name="${login}" password="${password}" tenant="${tenant}"/>`;
    const headers = { 'Content-Type': 'application/xml' };
    const { status, text } = await rawRequest(`${origin}/rest/user`, { method: 'POST', user: ADMIN, headers, body });
    if (status !== 200) throw new Error(`user ${login}: ${status} ${text}`);
    const own = random.fork(name);
    made.push({
      ...{ name, user, random: own, history, count, pause, apps: [], envs: [], gone: [], tasks: new Set<number>() },
      ...{ number: 0, largestArtefact, platforms: PLATFORMS[index % PLATFORMS.length] ?? [] },
      speaker: speakerOf({ user, gateways, random: own.fork('speaker'), history, count, signal }),
    });
  }
  return made;
}
