import type { AdapterDefinition } from '../../adapters/adapter.js';
import { optionVariable } from './overrides.js';
import { OPTION_VALUES } from './values.js';

/** A configured platform, its options validated against the adapter's definition. */
export interface PlatformConfig {
  /** Gives the base `/NAME-api/rest`. */
  name: string;
  /** More names, each a base of its own. */
  aliases: string[];
  definition: AdapterDefinition;
  options: Record<string, unknown>;
  /** The gateway starts this platform itself. */
  embedded: boolean;
}

export interface PlatformFault {
  path: string[];
  message: string;
  /** The environment variable with the wrong value, when it came from one. */
  variable?: string;
}

type RawPlatform = { adapter: string; aliases: string[] } & Record<string, unknown>;

/** Names in the environment that are not in the file: `COAPS_PLATFORM_CF_ADAPTER=cloudfoundry` makes platform CF. */
export function platformsOfEnvironment(raw: Record<string, unknown>, env: NodeJS.ProcessEnv): Record<string, unknown> {
  const made: Record<string, unknown> = { ...raw };
  for (const [variable, value] of Object.entries(env)) {
    const name = /^COAPS_PLATFORM_([A-Z][A-Z0-9_]*)_ADAPTER$/.exec(variable)?.[1];
    if (!name || !value) continue;
    const known = Object.keys(raw).find((one) => optionVariable(one, 'adapter') === variable);
    const there = known === undefined ? {} : raw[known];
    made[known ?? name.replace(/_/g, '-')] = { ...(typeof there === 'object' ? there : {}), adapter: value };
  }
  return made;
}

/** The adapter of each platform and its options, with all faults. */
export function readPlatforms(
  raw: Record<string, RawPlatform>,
  adapters: readonly AdapterDefinition[],
  env: NodeJS.ProcessEnv,
): { platforms: PlatformConfig[]; faults: PlatformFault[] } {
  const faults: PlatformFault[] = [];
  const platforms: PlatformConfig[] = [];
  for (const [name, { adapter, aliases, ...given }] of Object.entries(raw)) {
    const definition = adapters.find((one) => one.name === adapter);
    if (!definition) {
      const known = adapters.map((one) => one.name).join(', ');
      faults.push({
        path: ['platforms', name, 'adapter'],
        message: `there is no adapter "${adapter}"; there are ${known}`,
      });
      continue;
    }
    const read = readOptions(name, definition, given, env);
    faults.push(...read.faults);
    platforms.push({ name, aliases, definition, options: read.options, embedded: read.options['embedded'] === true });
  }
  faults.push(...twice(platforms));
  return { platforms, faults };
}

function readOptions(
  platform: string,
  definition: AdapterDefinition,
  given: Record<string, unknown>,
  env: NodeJS.ProcessEnv,
): { options: Record<string, unknown>; faults: PlatformFault[] } {
  const faults: PlatformFault[] = [];
  const missing: PlatformFault[] = [];
  const options: Record<string, unknown> = {};
  const path = (option: string) => ['platforms', platform, option];
  for (const option of Object.keys(given)) {
    if (definition.options.some((one) => one.name === option)) continue;
    const known = ['adapter', 'aliases', ...definition.options.map((one) => one.name)].join(', ');
    faults.push({ path: path(option), message: `adapter ${definition.name} has no such option; it has ${known}` });
  }
  for (const option of definition.options) {
    const variable = optionVariable(platform, option.name);
    const override = env[variable] || undefined;
    const value = override ?? given[option.name] ?? option.default;
    if (value === undefined || value === null) {
      if (option.required)
        missing.push({ path: path(option.name), message: `is required (or ${variable}): ${option.help}` });
      continue;
    }
    const read = OPTION_VALUES[option.type].safeParse(value);
    if (read.success) options[option.name] = read.data;
    else {
      const message = read.error.issues[0]?.message ?? 'is not valid';
      faults.push({ path: path(option.name), message, ...(override === undefined ? {} : { variable }) });
    }
  }
  // An embedded platform gets what it needs from the gateway that starts it.
  return { options, faults: options['embedded'] === true ? faults : [...faults, ...missing] };
}

/** Each name and alias is a base of its own, so none may occur twice (case ignored: paths are typed by people). */
function twice(platforms: readonly PlatformConfig[]): PlatformFault[] {
  const seen = new Map<string, string>();
  const faults: PlatformFault[] = [];
  for (const { name, aliases } of platforms)
    for (const base of [name, ...aliases]) {
      const other = seen.get(base.toLowerCase());
      if (other !== undefined)
        faults.push({ path: ['platforms', name], message: `the base /${base}-api/rest is taken by platform ${other}` });
      seen.set(base.toLowerCase(), name);
    }
  const embedded = platforms.filter((platform) => platform.embedded);
  for (const { name } of embedded.slice(1))
    faults.push({ path: ['platforms', name, 'embedded'], message: 'only one platform can be the embedded one' });
  return faults;
}
