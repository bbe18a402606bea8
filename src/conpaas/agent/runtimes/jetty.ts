import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOwned } from '../room.js';
import { heapOptions } from './java.js';
import type { Command, Place, RunContext } from './runtime.js';
import type { ServletServer } from './war.js';

/** JETTY_HOME, or Debian's jetty9. Only version 9 is known here: the one for javax.servlet. */
export async function findJetty(env: Readonly<Record<string, string>>): Promise<ServletServer[]> {
  const found = await Promise.all(
    [env['JETTY_HOME'], '/usr/share/jetty9'].map((place) => (place ? describe(place) : undefined)),
  );
  return found.filter((server) => server !== undefined);
}

async function describe(home: string): Promise<ServletServer | undefined> {
  if (!existsSync(join(home, 'start.jar'))) return;
  const libraries = await readdir(join(home, 'lib')).catch(() => []);
  const version = libraries
    .map((name) => /^jetty-server-(9\.[\d.]*\d)/.exec(name)?.[1])
    .find((one) => one !== undefined);
  if (version === undefined) return;
  return {
    version: `Jetty ${version}`,
    api: 'javax',
    failure: /Failed startup of context/,
    command: (java, context, place) => jettyCommand(home, java, context, place),
  };
}

const MODULES = [
  'server',
  'http',
  'http-forwarded',
  'deploy',
  'annotations',
  'jsp',
  'jstl',
  'websocket',
  'ext',
  'resources',
];

/** Each application has a jetty.base of its own. */
async function jettyCommand(home: string, java: string, context: RunContext, { host, port }: Place): Promise<Command> {
  const { folder, work, room, settings, env } = context;
  await makeOwned(work, room.owner, (partial) => fillBase(partial, folder));
  const args = [
    ...heapOptions(settings.memory),
    ...(env['JAVA_OPTS'] ?? '').split(/\s+/).filter(Boolean),
    `-Djava.io.tmpdir=${join(work, 'temp')}`,
    '-jar',
    join(home, 'start.jar'),
    `jetty.home=${home}`,
    `jetty.base=${work}`,
    `--module=${MODULES.join(',')}`,
    `jetty.http.host=${host}`,
    `jetty.http.port=${port}`,
    'jetty.deploy.scanInterval=0',
  ];
  return { command: java, args, cwd: work, env: { JETTY_HOME: home, JETTY_BASE: work } };
}

async function fillBase(base: string, folder: string): Promise<void> {
  for (const name of ['webapps', 'temp', 'resources', 'lib']) await mkdir(join(base, name), { mode: 0o700 });
  await mkdir(join(base, 'lib', 'ext'), { mode: 0o700 });
  const path = folder.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  await writeFile(
    join(base, 'webapps', 'ROOT.xml'),
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://www.eclipse.org/jetty/configure_9_3.dtd">
<Configure class="org.eclipse.jetty.webapp.WebAppContext">
  <Set name="contextPath">/</Set>
  <Set name="war">${path}</Set>
  <Set name="throwUnavailableOnStartupException">true</Set>
</Configure>
`,
  );
}
