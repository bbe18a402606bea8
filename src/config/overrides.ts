import type { Setting } from './settings.js';

/** Puts the environment's values over the file's. Gives, for each path that was overridden, the variable it came from. */
export function override(
  values: Record<string, unknown>,
  settings: readonly Setting[],
  env: NodeJS.ProcessEnv,
): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { path, variable } of settings) {
    // An empty variable is an absent one: that is how docker-compose passes what is not set.
    const value = variable && env[variable];
    if (!variable || !value) continue;
    if (put(values, path.split('.'), value)) origins.set(path, variable);
  }
  return origins;
}

/** Sets a value below the path; false when something that is no map stands in the way (which is a fault of its own). */
function put(values: Record<string, unknown>, path: string[], value: unknown): boolean {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    values[key] = value;
    return true;
  }
  const inner = values[key] ?? {};
  if (typeof inner !== 'object' || Array.isArray(inner)) return false;
  values[key] = inner;
  return put(inner as Record<string, unknown>, rest, value);
}

/** `apiUrl` of platform `my-cf` is `COAPS_PLATFORM_MY_CF_API_URL`. */
export function optionVariable(platform: string, option: string): string {
  const words = `${platform}_${option.replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`;
  return `COAPS_PLATFORM_${words.replace(/-/g, '_').toUpperCase()}`;
}
