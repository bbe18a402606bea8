import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentSpec, EnvironmentSpec } from '../../adapters/adapter.js';
import { artefactOf } from '../contract/adapter.js';
import { makeZip } from '../contract/archive.js';

/** While this file exists, applications crash when they start. */
export const CRASH = join(tmpdir(), `coaps-crash-${process.pid}`);
export const INSTALLATION = 'test1234';

export const call = () => ({ signal: AbortSignal.timeout(120_000), step: () => undefined });

export function environment(changes: Partial<EnvironmentSpec> = {}): EnvironmentSpec {
  return { installation: INSTALLATION, envId: 1, name: 'Env', nodes: [], variables: {}, ...changes };
}

export async function application(word: string) {
  const server = `
    if (require('node:fs').existsSync(${JSON.stringify(CRASH)})) { console.log('out of luck'); process.exit(7); }
    console.log('${word} begins');
    require('node:http').createServer((request, response) => response.end('${word} ' + process.env.GREETING))
      .listen(process.env.PORT, process.env.HOST);`;
  const manifest = JSON.stringify({ name: word, version: '1.0.0', main: 'server.js' });
  return artefactOf(`${word}.zip`, 'zip', await makeZip({ 'package.json': manifest, 'server.js': server }));
}

export async function site() {
  return artefactOf('site.zip', 'zip', await makeZip({ 'index.html': '<p>site</p>' }));
}

export async function spec(changes: Partial<DeploymentSpec> = {}): Promise<DeploymentSpec> {
  const env = changes.environment ?? environment();
  return {
    key: { installation: INSTALLATION, appId: 1, envId: env.envId, instanceId: 1 },
    versionId: 1,
    applicationName: 'Shop',
    environment: env,
    artefact: await application('one'),
    processes: 1,
    ...changes,
  };
}

export const page = async (uri: string | undefined) => (await fetch(uri ?? '')).text();
