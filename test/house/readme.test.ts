import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADAPTERS } from '../../adapters/registry.js';
import { settingsTable, settingsText } from '../../src/config/help.js';
import { CLIENT_VARIABLES, loadConfig, SETTINGS } from '../../src/config.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

describe('what people read', () => {
  it("README's table of settings is that of the code", () => {
    const [table] = read('README.md').split('<!-- settings -->\n')[1]?.split('\n<!-- /settings -->') ?? [];
    expect(table).toBe(settingsTable());
  });

  it('--help names every setting, every variable and every option of every adapter', () => {
    const text = settingsText(ADAPTERS);
    for (const { path, variable } of SETTINGS) {
      expect(text).toContain(path);
      if (variable) expect(text).toContain(variable);
    }
    for (const { options } of ADAPTERS) for (const { help } of options) expect(text).toContain(help);
  });

  it("the container's configuration is one that the gateway takes", () => {
    const config = loadConfig({ file: 'deploy/coaps.yaml', env: {}, directory: ROOT, adapters: ADAPTERS });
    expect(config.conpaas.apps).toEqual({
      host: '0.0.0.0',
      ports: { first: 20000, last: 20049 },
      publicHost: 'localhost',
    });
    expect(read('docker-compose.yml')).toContain('20000-20049:20000-20049');
  });

  it('the files for operators name variables that the gateway knows', () => {
    const files = ['docker-compose.yml', 'Dockerfile', 'deploy/coaps.service', 'README.md'].map(read).join('\n');
    const named = new Set([...files.matchAll(/\bCOAPS_[A-Z_]+[A-Z]\b/g)].map(([name]) => name));
    const own = ['COAPS_CONFIG', 'COAPS_DB_PASSWORD', 'COAPS_PLATFORM', ...CLIENT_VARIABLES];
    const known = new Set([...own, ...SETTINGS.map(({ variable }) => variable)]);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
    expect(named.size).toBeGreaterThan(15);
  });

  it('SECURITY.md names tests that there are, and nothing that defends without one', () => {
    const [, defended = ''] = /## What is defended[^\n]*\n([\s\S]*?)\n## /.exec(read('SECURITY.md')) ?? [];
    const rows = defended.split('\n').filter((line) => /^\| (?!threat)[a-z]/.test(line));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const tests = [...row.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file]) => file ?? '');
      expect([row, tests.length > 0, tests.filter((file) => !existsSync(join(ROOT, file)))]).toEqual([row, true, []]);
    }
  });

  it('CI runs what README says', () => {
    const readme = read('README.md');
    const steps = read('.ci/run')
      .split('\n')
      .filter((line) => line.startsWith('npm '));
    expect(steps).toEqual(['npm ci', 'npm test']);
    expect(readme).toContain(steps.join(' && '));
  });
});
