import type { AdapterDefinition } from '../../adapters/adapter.js';
import { optionVariable } from './overrides.js';
import { SETTINGS } from './settings.js';

/** The settings as `coaps serve --help` shows them. */
export function settingsText(adapters: readonly AdapterDefinition[]): string {
  const lines = SETTINGS.flatMap(({ path, variable, otherwise, help }) => [
    `  ${path}${variable ? ` (${variable})` : ''}`,
    `      ${plain(help)}${otherwise ? ` Default: ${plain(otherwise)}.` : ''}`,
  ]);
  const options = adapters.flatMap((adapter) => [
    '',
    `  Options of the adapter ${adapter.name}: ${adapter.summary}`,
    ...adapter.options.flatMap(({ name, required, help, default: value }) => [
      `  platforms.NAME.${name} (${optionVariable('NAME', name)})`,
      `      ${help}${required ? ' Required.' : ''}${value === undefined ? '' : ` Default: ${shown(value)}.`}`,
    ]),
  ]);
  return ['Settings, in coaps.yaml or by environment variables:', ...lines, ...options].join('\n');
}

/** The settings as README's table; a test holds both equal. */
export function settingsTable(): string {
  const rows = SETTINGS.map(
    ({ path, variable, otherwise, help }) =>
      `| \`${path}\` | ${variable ? `\`${variable}\`` : ''} | ${otherwise} | ${help.replaceAll('|', '\\|')} |`,
  );
  return ['| in coaps.yaml | variable | default | |', '|---|---|---|---|', ...rows].join('\n');
}

function plain(text: string): string {
  return text.replaceAll('`', '');
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
