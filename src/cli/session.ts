import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Credentials, createClient, type GatewayClient } from './client.js';
import { CommandFault } from './fault.js';
import type { Terminal } from './terminal.js';

export const DEFAULT_URL = 'http://127.0.0.1:8080/rest';

/** What says whom to speak to, from the command line. */
export interface SessionOptions {
  url?: string | undefined;
  /** `name` or `name:password`. */
  user?: string | undefined;
  /** Name of a platform: takes the place of the base's own. */
  platform?: string | undefined;
}

interface Login extends Credentials {
  url: string;
}

/**
 * Finds the gateway (`--url`, COAPS_URL, `coaps login`, this machine's) and the credentials (`--user`, COAPS_USER and COAPS_PASSWORD,
 * `coaps login`), and asks for a missing password on a terminal.
 */
export async function openSession(options: SessionOptions, terminal: Terminal): Promise<GatewayClient> {
  const stored = readLogin(terminal.env);
  const url = checkedUrl(options.url ?? (terminal.env['COAPS_URL'] || undefined) ?? stored?.url ?? DEFAULT_URL);
  return createClient(withPlatform(url, options.platform), await credentials(url, options.user, stored, terminal));
}

async function credentials(
  url: string,
  given: string | undefined,
  stored: Login | undefined,
  terminal: Terminal,
): Promise<Credentials> {
  const { env } = terminal;
  // Credentials are kept for one gateway: they never go to another.
  const kept = stored && new URL(stored.url).origin === new URL(url).origin ? stored : undefined;
  const named = given ?? (env['COAPS_USER'] || undefined);
  if (named === undefined && kept) return kept;
  if (named === undefined)
    throw new CommandFault(
      `Who are you at ${url}? Give --user NAME, set COAPS_USER, or do "coaps login ${url}" once.`,
      2,
    );
  const colon = named.indexOf(':');
  if (colon >= 0) return { user: named.slice(0, colon), password: named.slice(colon + 1) };
  const password = env['COAPS_PASSWORD'] ?? (kept?.user === named ? kept.password : undefined);
  return { user: named, password: password ?? (await askPassword(named, terminal)) };
}

async function askPassword(user: string, terminal: Terminal): Promise<string> {
  if (!terminal.interactive) throw new CommandFault(`The password of ${user} is missing: set COAPS_PASSWORD.`, 2);
  return await terminal.askSecret(`Password of ${user}: `);
}

/** Checks name and password at the gateway, then keeps them, readable for this user alone. */
export async function login(url: string, user: string | undefined, terminal: Terminal): Promise<string> {
  const base = checkedUrl(url);
  if (user === undefined && !terminal.env['COAPS_USER'] && !terminal.interactive)
    throw new CommandFault('Give --user NAME.', 2);
  const named = user ?? (terminal.env['COAPS_USER'] || (await terminal.ask('User: ')));
  const found = await credentials(base, named, undefined, terminal);
  const { body } = await createClient(base, found).send({ method: 'GET', path: '/' });
  body.resume();
  const file = loginFile(terminal.env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ url: base, ...found }), { mode: 0o600 });
  renameSync(temporary, file);
  return `Logged in at ${base} as ${found.user}; kept in ${file}.`;
}

export function logout(terminal: Terminal): string {
  const file = loginFile(terminal.env);
  if (!existsSync(file)) return 'There was no login.';
  rmSync(file);
  return `Removed ${file}.`;
}

function readLogin(env: NodeJS.ProcessEnv): Login | undefined {
  const file = loginFile(env);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Login;
  } catch {
    throw new CommandFault(`${file} cannot be read; do "coaps login URL" again.`, 2);
  }
}

function loginFile(env: NodeJS.ProcessEnv): string {
  const folder = env['XDG_CONFIG_HOME'] || env['APPDATA'] || join(env['HOME'] || homedir(), '.config');
  return join(folder, 'coaps', 'login.json');
}

/** An http(s) URL without a trailing slash; one without a path gets `/rest`. */
function checkedUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new CommandFault(`"${given}" is no http or https URL.`, 2);
  if (url.username || url.password) throw new CommandFault('Give the user with --user, not in the URL.', 2);
  const path = url.pathname.replace(/\/+$/, '') || '/rest';
  return url.origin + path;
}

function withPlatform(url: string, platform: string | undefined): string {
  if (platform === undefined) return url;
  const replaced = url.replace(/\/(?:[^/]+-api\/)?rest$/, `/${encodeURIComponent(platform)}-api/rest`);
  if (replaced === url && !url.endsWith(`/${platform}-api/rest`))
    throw new CommandFault(`--platform needs a URL that ends in /rest, not ${url}.`, 2);
  return replaced;
}
