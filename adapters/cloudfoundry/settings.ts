import { readFile } from 'node:fs/promises';
import { AdapterError, type AdapterOptions } from '../adapter.js';

/** The options, read once. Times in milliseconds. */
export interface Settings {
  apiUrl: string;
  org: string;
  space: string;
  grant: Grant;
  /** PEM. */
  ca?: string;
  skipTlsVerification: boolean;
  /** Absent: the organisation's default domain. */
  domain?: string;
  /** Absent: the platform's default stack. */
  stack?: string;
  /** With `{host}`; what users open. */
  routeUrl: string;
  /** Word of a container → names of installed buildpacks. */
  buildpacks: Readonly<Record<string, readonly string[]>>;
  /** Word of a database or service → what is taken from the marketplace; `none`: such nodes are left out. */
  services: Readonly<Record<string, ServiceChoice | 'none'>>;
  /** Path for an HTTP health check. Absent: the port is checked. */
  healthCheckPath?: string;
  healthCheckTimeout?: number;
  requestTimeout: number;
  stagingTimeout: number;
  startTimeout: number;
  serviceTimeout: number;
  pollInterval: number;
  /** How long a started application must keep running before its start counts. */
  settleTime: number;
  patience: number;
}

export type Grant =
  | { type: 'password'; user: string; password: string }
  | { type: 'client_credentials'; clientId: string; clientSecret: string };

export interface ServiceChoice {
  offering: string;
  plan?: string;
  parameters?: Readonly<Record<string, unknown>>;
}

/** Throws `rejected` with the option's name; never with a secret's value. */
export async function readSettings(options: AdapterOptions): Promise<Settings> {
  const text = (name: string) => readText(options[name]);
  const seconds = (name: string) => readSeconds(name, options[name]);
  const apiUrl = readApiUrl(text('apiUrl') ?? '');
  const ca = text('ca');
  const healthCheckTimeout = options['healthCheckTimeout'] === undefined ? undefined : seconds('healthCheckTimeout');
  return {
    apiUrl,
    org: text('org') ?? missing('org'),
    space: text('space') ?? missing('space'),
    grant: readGrant(text),
    skipTlsVerification: options['skipTlsVerification'] === true,
    routeUrl: readRouteUrl(text('routeUrl') ?? (apiUrl.startsWith('https:') ? 'https://{host}' : 'http://{host}')),
    buildpacks: readBuildpacks(options['buildpacks']),
    services: readServices(options['services']),
    requestTimeout: seconds('requestTimeout'),
    stagingTimeout: seconds('stagingTimeout'),
    startTimeout: seconds('startTimeout'),
    serviceTimeout: seconds('serviceTimeout'),
    pollInterval: seconds('pollInterval'),
    settleTime: seconds('settleTime'),
    patience: seconds('patience'),
    ...optional('ca', ca === undefined ? undefined : await readCertificate(ca)),
    ...optional('domain', text('domain')),
    ...optional('stack', text('stack')),
    ...optional('healthCheckPath', text('healthCheckPath')),
    ...optional('healthCheckTimeout', healthCheckTimeout),
  };
}

/** Everything in the settings that no log or error may show. */
export function secretsOf({ grant }: Settings): string[] {
  if (grant.type === 'password') return [grant.password];
  // As it goes over the wire, too.
  return [grant.clientSecret, Buffer.from(`${grant.clientId}:${grant.clientSecret}`).toString('base64')];
}

function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V });
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function wrong(option: string, text: string): never {
  throw new AdapterError('rejected', `Option "${option}" ${text}`);
}

function missing(option: string): never {
  return wrong(option, 'is missing.');
}

function readSeconds(name: string, value: unknown): number {
  return typeof value === 'number' && value >= 0
    ? value * 1000
    : wrong(name, 'must be a number of seconds, 0 or more.');
}

function readApiUrl(value: string): string {
  const url = URL.canParse(value)
    ? new URL(value)
    : wrong('apiUrl', 'must be the address of the Cloud Controller, e.g. https://api.example.org.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') wrong('apiUrl', 'must begin with https:// or http://.');
  if (url.username !== '' || url.password !== '')
    wrong('apiUrl', 'must hold no user and no password: give them as options.');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function readRouteUrl(value: string): string {
  if (!value.includes('{host}') || !URL.canParse(value.replace('{host}', 'a.example')))
    wrong('routeUrl', 'must be a URL with {host}, e.g. https://{host} or http://{host}:8080.');
  return value.replace(/\/+$/, '');
}

function readGrant(text: (name: string) => string | undefined): Grant {
  const user = text('user');
  if (user !== undefined) return { type: 'password', user, password: text('password') ?? missing('password') };
  const clientId = text('clientId');
  if (clientId === undefined) return wrong('user', 'is missing: give user and password, or clientId and clientSecret.');
  return { type: 'client_credentials', clientId, clientSecret: text('clientSecret') ?? missing('clientSecret') };
}

async function readCertificate(value: string): Promise<string> {
  if (value.includes('-----BEGIN')) return value;
  return readFile(value, 'utf8').catch(() => wrong('ca', `names a file that cannot be read: ${value}.`));
}

function readBuildpacks(value: unknown): Record<string, readonly string[]> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>).map(([word, names]) => {
    const list = typeof names === 'string' ? names.split(',').map((name) => name.trim()) : names;
    if (!Array.isArray(list) || !list.every((name) => typeof name === 'string' && name !== ''))
      return wrong('buildpacks', `must give "${word}" the name of a buildpack, or a list of names.`);
    return [word.toLowerCase(), list as string[]] as const;
  });
  return Object.fromEntries(entries);
}

function readServices(value: unknown): Record<string, ServiceChoice | 'none'> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>).map(
    ([word, choice]) => [word.toLowerCase(), readServiceChoice(word, choice)] as const,
  );
  return Object.fromEntries(entries);
}

function readServiceChoice(word: string, value: unknown): ServiceChoice | 'none' {
  if (value === 'none') return 'none';
  if (typeof value === 'string' && value !== '') {
    const [offering, plan] = value.split('/', 2).map((part) => part.trim());
    return {
      offering: offering || wrong('services', `must name an offering for "${word}".`),
      ...optional('plan', plan || undefined),
    };
  }
  const { offering, plan, parameters } = (value ?? {}) as Record<string, unknown>;
  if (typeof offering !== 'string' || offering === '')
    return wrong('services', `must give "${word}" as offering/plan, as a map with "offering", or as none.`);
  return {
    offering,
    ...optional('plan', readText(plan)),
    ...optional(
      'parameters',
      typeof parameters === 'object' && parameters !== null ? (parameters as Record<string, unknown>) : undefined,
    ),
  };
}
