import { statSync } from 'node:fs';
import type { ConfigFile } from './file.js';
import type { PlatformConfig } from './platforms.js';
import { SETTINGS } from './settings.js';

const EVERYBODY = 0o004;

/** Sentences about secrets that everybody on this machine can read: those that stand in the file itself, and the key of the certificate. */
export function exposures(
  path: string,
  file: ConfigFile,
  platforms: readonly PlatformConfig[],
  tlsKey: string | undefined,
): string[] {
  const settings = SETTINGS.filter(({ secret }) => secret).map((setting) => setting.path.split('.'));
  const options = platforms.flatMap(({ name, definition }) =>
    definition.options.filter(({ secret }) => secret).map((option) => ['platforms', name, option.name]),
  );
  const standing = [...settings, ...options].filter((one) => file.holds(one)).map((one) => one.join('.'));
  const exposed: string[] = [];
  if (standing.length > 0 && isOpen(path)) {
    exposed.push(
      `${path} holds ${standing.join(', ')} and everybody on this machine can read it: chmod it to 600, or write \${NAME} there and set the variable.`,
    );
  }
  if (tlsKey !== undefined && isOpen(tlsKey)) {
    exposed.push(`Everybody on this machine can read the key ${tlsKey}: chmod it to 600.`);
  }
  return exposed;
}

function isOpen(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return process.platform !== 'win32' && found !== undefined && (found.mode & EVERYBODY) !== 0;
}
