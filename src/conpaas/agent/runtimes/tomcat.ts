import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readZipMember } from '../../../archives/index.js';
import { makeOwned } from '../room.js';
import { heapOptions } from './java.js';
import type { Command, Place, RunContext } from './runtime.js';
import type { ServletServer } from './war.js';

/** CATALINA_HOME first, then Debian's places, the newest first. */
export async function findTomcats(env: Readonly<Record<string, string>>): Promise<ServletServer[]> {
  const places = [env['CATALINA_HOME'], ...[11, 10, 9].map((version) => `/usr/share/tomcat${version}`), '/opt/tomcat'];
  const found = await Promise.all(places.map((place) => (place ? describe(place) : undefined)));
  return found.filter((server) => server !== undefined);
}

async function describe(home: string): Promise<ServletServer | undefined> {
  const library = join(home, 'lib', 'catalina.jar');
  if (!existsSync(library) || !existsSync(join(home, 'bin', 'bootstrap.jar'))) return;
  const info = await readZipMember(library, 'org/apache/catalina/util/ServerInfo.properties', 4096).catch(
    () => undefined,
  );
  const version = /server\.number=(\S+)/.exec(info?.toString('latin1') ?? '')?.[1];
  if (version === undefined) return;
  return {
    version: `Tomcat ${version}`,
    api: Number.parseInt(version, 10) >= 10 ? 'jakarta' : 'javax',
    failure: /startup failed due to previous errors|Error deploying web application|Failed to start component/,
    command: (java, context, place) => tomcatCommand(home, java, context, place),
  };
}

/** Each application has a CATALINA_BASE of its own; nothing of the server's own configuration is used or changed. */
async function tomcatCommand(home: string, java: string, context: RunContext, place: Place): Promise<Command> {
  const { folder, work, room, settings, env } = context;
  await makeOwned(work, room.owner, (partial) => fillBase(partial, home, folder));
  const opens = ['lang', 'lang.reflect', 'io', 'util', 'util.concurrent'].map((name) => `java.base/java.${name}`);
  const given = (env['JAVA_OPTS'] ?? '').split(/\s+/).filter(Boolean);
  const args = [
    ...heapOptions(settings.memory),
    ...given,
    ...[...opens, 'java.rmi/sun.rmi.transport'].map((module) => `--add-opens=${module}=ALL-UNNAMED`),
    `-Djava.util.logging.config.file=${join(work, 'conf', 'logging.properties')}`,
    '-Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager',
    `-Dcatalina.home=${home}`,
    `-Dcatalina.base=${work}`,
    `-Djava.io.tmpdir=${join(work, 'temp')}`,
    `-Dcoaps.host=${place.host}`,
    `-Dcoaps.port=${place.port}`,
    '-classpath',
    [join(home, 'bin', 'bootstrap.jar'), join(home, 'bin', 'tomcat-juli.jar')].join(':'),
    'org.apache.catalina.startup.Bootstrap',
    'start',
  ];
  return { command: java, args, cwd: work, env: { CATALINA_HOME: home, CATALINA_BASE: work } };
}

async function fillBase(base: string, home: string, folder: string): Promise<void> {
  for (const name of ['conf', 'temp', 'work', 'logs', 'lib', 'webapps']) await mkdir(join(base, name), { mode: 0o700 });
  const conf = existsSync(join(home, 'conf', 'web.xml')) ? join(home, 'conf') : join(home, 'etc');
  for (const name of ['web.xml', 'catalina.properties']) await copyFile(join(conf, name), join(base, 'conf', name));
  await writeFile(join(base, 'conf', 'context.xml'), '<Context/>\n');
  await writeFile(join(base, 'conf', 'server.xml'), SERVER);
  await writeFile(join(base, 'conf', 'logging.properties'), LOGGING);
  // By this name, and not by a descriptor, so that the war's own META-INF/context.xml counts.
  await symlink(folder, join(base, 'webapps', 'ROOT'));
}

/** Tomcat fills the names in from its system properties, so that a start on another port needs no other file. */
const SERVER = `<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1">
  <Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
  <Listener className="org.apache.catalina.core.ThreadLocalLeakPreventionListener"/>
  <Service name="Catalina">
    <Connector port="\${coaps.port}" address="\${coaps.host}" protocol="HTTP/1.1" connectionTimeout="60000"
               maxPostSize="-1" server="Tomcat"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" autoDeploy="false" deployOnStartup="true" unpackWARs="false">
        <Valve className="org.apache.catalina.valves.RemoteIpValve" protocolHeader="x-forwarded-proto"
               portHeader="x-forwarded-port" remoteIpHeader="x-forwarded-for"/>
      </Host>
    </Engine>
  </Service>
</Server>
`;

const LOGGING = `handlers = java.util.logging.ConsoleHandler
.level = INFO
java.util.logging.ConsoleHandler.level = INFO
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
`;
