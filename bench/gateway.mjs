import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ROOT, start } from './processes.mjs';

export const PASSWORD = 'password-of-the-bench';
export const ADMIN = `admin:${PASSWORD}`;

export function authorization(user = ADMIN) {
  return `Basic ${Buffer.from(user).toString('base64')}`;
}

/** A gateway as `coaps serve` runs it, with the simulated platform, on a data directory. `config` as in coaps.yaml. */
export async function startGateway(folder, config = {}) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'coaps.yaml');
  const platforms = { MEM: { adapter: 'memory' } };
  writeFileSync(file, stringify({ listen: { port: 0 }, log: { level: 'error' }, platforms, ...config }));
  const { found, ...rest } = await start(
    join(ROOT, 'dist/src/cli/main.js'),
    ['serve', '--config', file],
    /COAPS API\s+(http:\/\/127\.0\.0\.1:(\d+)(\S*))/,
    { COAPS_DATA: join(folder, 'data'), COAPS_ADMIN_PASSWORD: PASSWORD },
  );
  const [, url, port, base] = found;
  const send = async (method, path, body, { user } = {}) => {
    const type = typeof body === 'string' ? { 'Content-Type': 'application/xml' } : {};
    const answer = await fetch(url + path, {
      method,
      headers: { Authorization: authorization(user), ...type },
      ...(body !== undefined && { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${text}`);
    return text;
  };
  return { ...rest, url, port: Number(port), base, send, database: join(folder, 'data', 'coaps.db') };
}

export function application(name, description = '') {
  return `<m><paas_application name="${name}"><description>${description}</description></paas_application></m>`;
}

/** Application 1 with a version, an artefact and an instance; environment 1. The rows that seed.mjs copies. */
export async function makeTemplate({ send }, archive) {
  await send('POST', '/environment', '<m><paas_environment name="Env"/></m>');
  await send('POST', '/app', application('Application 1', 'The first one of the benchmark'));
  const form = new FormData();
  form.set('file', new Blob([archive]), 'site.zip');
  await send('POST', '/app/1/version', form);
  await send('POST', '/app/1/version/1/instance', '<m><paas_version_instance name="Instance1"/></m>');
}

export async function makeUser({ send }, name, tenant) {
  await send('POST', '/user', `<user name="${name}" password="${PASSWORD}" tenant="${tenant}"/>`);
  return `${name}:${PASSWORD}`;
}
