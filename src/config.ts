import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { AdapterDefinition } from '../adapters/adapter.js';
import { exposures } from './config/exposure.js';
import { type ConfigFile, readConfigFile } from './config/file.js';
import { optionVariable, override } from './config/overrides.js';
import { type PlatformConfig, type PlatformFault, platformsOfEnvironment, readPlatforms } from './config/platforms.js';
import { SCHEMA, SETTINGS, type Settings } from './config/settings.js';

export type { PlatformConfig } from './config/platforms.js';
export { SETTINGS, type Setting } from './config/settings.js';

/** Everything that a gateway needs to know, complete and valid. Paths are absolute. */
export interface Config extends Omit<Settings, 'platforms' | 'defaultPlatform'> {
  platforms: PlatformConfig[];
  defaultPlatform: string;
  /** Sentences for the log, e.g. a variable that looks like ours and is not. */
  warnings: string[];
}

/** Variables of the CLI, which this reader leaves alone. */
export const CLIENT_VARIABLES = ['COAPS_URL', 'COAPS_USER', 'COAPS_PASSWORD', 'COAPS_MOVE_TO'] as const;

/** All faults of a configuration, one per line, each with its place. The start ends with exit code 2. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    );
    this.faults = faults;
  }
}

export interface ConfigSources {
  /** As given with `--config`; without it COAPS_CONFIG, else coaps.yaml in the directory, if it is there. */
  file?: string | undefined;
  env: NodeJS.ProcessEnv;
  directory: string;
  adapters: readonly AdapterDefinition[];
}

/** Reads file and environment. Throws ConfigFault with every fault there is. */
export function loadConfig({ file, env, directory, adapters }: ConfigSources): Config {
  const given = file ?? (env['COAPS_CONFIG'] || undefined);
  const read = readFile(given, directory, env);
  if (read.faults.length > 0) throw new ConfigFault(read.faults);
  const values = structuredClone(read.values);
  const origins = override(values, SETTINGS, env);
  const declared = values['platforms'];
  const isMap = typeof declared === 'object' && declared !== null && !Array.isArray(declared);
  const named = platformsOfEnvironment(isMap ? (declared as Record<string, unknown>) : {}, env);
  if (Object.keys(named).length > 0) values['platforms'] = named;

  const parsed = SCHEMA.safeParse(values);
  const faults = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describe(issue, read, origins));
  if (!parsed.success) throw new ConfigFault(faults);
  const { platforms: raw, defaultPlatform, ...settings } = parsed.data;
  const { platforms, faults: wrong } = readPlatforms(raw, adapters, env);
  faults.push(...wrong.map((fault) => sentence(fault, read)));
  const chosen = choose(defaultPlatform, platforms);
  if (chosen === undefined && platforms.length > 0) {
    const message = `there is no platform "${defaultPlatform}"; there are ${Object.keys(raw).join(', ')}`;
    faults.push(sentence({ path: ['defaultPlatform'], message, variable: origins.get('defaultPlatform') }, read));
  }
  if (faults.length > 0) throw new ConfigFault(faults);
  const complete = absolute(settings, directory);
  return {
    ...complete,
    platforms,
    defaultPlatform: chosen ?? '',
    warnings: [
      ...strangers(env, platforms),
      ...exposures(fileOf(given, directory), read, platforms, complete.listen.tls.key),
    ],
  };
}

function fileOf(given: string | undefined, directory: string): string {
  return resolve(directory, given ?? 'coaps.yaml');
}

function readFile(given: string | undefined, directory: string, env: NodeJS.ProcessEnv): ConfigFile {
  const path = fileOf(given, directory);
  const name = given ?? (relative(directory, path) || path);
  if (given === undefined && !existsSync(path)) return readConfigFile(name, '', env);
  try {
    return readConfigFile(name, readFileSync(path, 'utf8'), env);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigFault([`${name} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : code}`]);
  }
}

interface Issue {
  code?: string;
  path: PropertyKey[];
  message: string;
  keys?: string[];
}

function describe(issue: Issue, file: ConfigFile, origins: ReadonlyMap<string, string>): string[] {
  if (issue.code === 'unrecognized_keys')
    return (issue.keys ?? []).map((key) => {
      const path = [...issue.path, key];
      return sentence({ path: path.map(String), message: unknown(issue.path.map(String)) }, file);
    });
  const path = issue.path.map(String);
  return [sentence({ path, message: issue.message, variable: origins.get(path.join('.')) }, file)];
}

function unknown(parent: string[]): string {
  const prefix = parent.length === 0 ? '' : `${parent.join('.')}.`;
  const known = SETTINGS.filter(({ path }) => path.startsWith(prefix)).map(
    ({ path }) => path.slice(prefix.length).split('.')[0] ?? '',
  );
  return `is no setting; there are ${[...new Set(known)].join(', ')}`;
}

function sentence(
  fault: Omit<PlatformFault, 'variable'> & { variable?: string | undefined },
  file: ConfigFile,
): string {
  const where = fault.variable === undefined ? file.place(fault.path) : `environment variable ${fault.variable}`;
  return `${where} ${fault.path.join('.')}: ${fault.message}`;
}

function choose(name: string | undefined, platforms: readonly PlatformConfig[]): string | undefined {
  if (name === undefined) return platforms[0]?.name;
  return platforms.find((one) => [one.name, ...one.aliases].includes(name))?.name;
}

function absolute(settings: Omit<Settings, 'platforms' | 'defaultPlatform'>, directory: string) {
  const { listen, artefacts } = settings;
  const path = (given: string | undefined) => (given === undefined ? undefined : resolve(directory, given));
  return {
    ...settings,
    data: resolve(directory, settings.data),
    listen: { ...listen, tls: { cert: path(listen.tls.cert), key: path(listen.tls.key) } },
    artefacts: { ...artefacts, dropFolder: path(artefacts.dropFolder) },
  };
}

/** Variables that look like ours and are not: most often a typing error. */
function strangers(env: NodeJS.ProcessEnv, platforms: readonly PlatformConfig[]): string[] {
  const known = new Set<string>(['COAPS_CONFIG', ...CLIENT_VARIABLES]);
  for (const { variable } of SETTINGS) if (variable) known.add(variable);
  for (const { name, definition } of platforms)
    for (const option of ['adapter', ...definition.options.map((one) => one.name)])
      known.add(optionVariable(name, option));
  return Object.keys(env)
    .filter((name) => name.startsWith('COAPS_') && !known.has(name))
    .map((name) => `The environment variable ${name} is none of the gateway's and has no effect.`);
}
