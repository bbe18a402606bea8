import type { Artefact } from '../../src/domain/model.js';

/** A kind of container, and the image streams that build for it (names as of the sample streams that OpenShift 4 installs). */
export interface Runtime {
  name: string;
  /** A node names it when its name contains one of these. */
  words: readonly string[];
  /** Streams by preference. */
  streams: readonly RegExp[];
  artefacts: readonly Artefact['type'][];
  /** MiB below which it does not start. */
  memory: number;
  /** The name that a single file gets in the build: it decides the path at which the application answers. Absent: its own name. */
  fileName?: string;
  /** Takes over when no stream of this runtime is there, for the artefacts that both can run. */
  otherwise?: string;
}

/** In the order in which words are looked for: `javascript` is no Java. */
export const RUNTIMES: readonly Runtime[] = [
  { name: 'nodejs', words: ['node', 'javascript'], streams: [/^nodejs$/], artefacts: ['zip'], memory: 64 },
  {
    name: 'tomcat',
    words: ['tomcat', 'jetty', 'webserver', 'servlet'],
    streams: [/^jboss-webserver/, /^tomcat/],
    artefacts: ['war'],
    memory: 256,
    fileName: 'ROOT.war',
  },
  {
    name: 'jboss',
    words: ['jboss', 'wildfly', 'eap'],
    streams: [/^jboss-eap/, /^eap/, /^wildfly/],
    artefacts: ['war', 'ear', 'jar'],
    memory: 512,
    fileName: 'ROOT.war',
    otherwise: 'tomcat',
  },
  {
    name: 'java',
    words: ['spring', 'java', 'jdk'],
    streams: [/^java$/, /^ubi\d+-openjdk/, /^openjdk/],
    artefacts: ['jar', 'zip'],
    memory: 128,
  },
  { name: 'php', words: ['php'], streams: [/^php$/], artefacts: ['zip'], memory: 64 },
  { name: 'python', words: ['python', 'django', 'flask'], streams: [/^python$/], artefacts: ['zip'], memory: 64 },
  { name: 'ruby', words: ['ruby', 'rails'], streams: [/^ruby$/], artefacts: ['zip'], memory: 64 },
  {
    name: 'static',
    words: ['static', 'httpd', 'apache', 'nginx'],
    streams: [/^httpd$/, /^nginx$/],
    artefacts: ['zip'],
    memory: 32,
  },
];

/** A kind of database: the images of the Software Collections, which all take their credentials from variables. */
export interface Database {
  name: string;
  words: readonly string[];
  streams: readonly RegExp[];
  port: number;
  /** Where it keeps its data. */
  folder: string;
  /** MiB. */
  memory: number;
  /** Variables of its container, by what they hold. */
  variables: { password: string; user?: string; database?: string; administrator?: string };
  scheme: string;
  otherwise?: string;
}

export const DATABASES: readonly Database[] = [
  {
    name: 'mysql',
    words: ['mysql'],
    streams: [/^mysql$/],
    port: 3306,
    folder: '/var/lib/mysql/data',
    memory: 512,
    variables: { user: 'MYSQL_USER', password: 'MYSQL_PASSWORD', database: 'MYSQL_DATABASE' },
    scheme: 'mysql',
    otherwise: 'mariadb',
  },
  {
    name: 'mariadb',
    words: ['mariadb', 'maria'],
    streams: [/^mariadb$/],
    port: 3306,
    folder: '/var/lib/mysql/data',
    memory: 512,
    variables: { user: 'MYSQL_USER', password: 'MYSQL_PASSWORD', database: 'MYSQL_DATABASE' },
    scheme: 'mysql',
    otherwise: 'mysql',
  },
  {
    name: 'postgresql',
    words: ['postgres', 'pgsql'],
    streams: [/^postgresql$/],
    port: 5432,
    folder: '/var/lib/pgsql/data',
    memory: 512,
    variables: { user: 'POSTGRESQL_USER', password: 'POSTGRESQL_PASSWORD', database: 'POSTGRESQL_DATABASE' },
    scheme: 'postgresql',
  },
  {
    name: 'redis',
    words: ['redis', 'valkey'],
    streams: [/^redis$/, /^valkey$/],
    port: 6379,
    folder: '/var/lib/redis/data',
    memory: 256,
    variables: { password: 'REDIS_PASSWORD' },
    scheme: 'redis',
  },
  {
    name: 'mongodb',
    words: ['mongo'],
    streams: [/^mongodb$/],
    port: 27017,
    folder: '/var/lib/mongodb/data',
    memory: 512,
    variables: {
      user: 'MONGODB_USER',
      password: 'MONGODB_PASSWORD',
      database: 'MONGODB_DATABASE',
      administrator: 'MONGODB_ADMIN_PASSWORD',
    },
    scheme: 'mongodb',
  },
];

/** What a node's name means, e.g. `JBOSSAS_7` → jboss. */
export function wordIn<T extends { words: readonly string[] }>(table: readonly T[], name: string): T | undefined {
  const text = name.toLowerCase();
  return table.find((one) => one.words.some((word) => text.includes(word)));
}

/** The container that an artefact asks for by its own form. A zip says it by what is in it. */
export function runtimeOf(
  type: Artefact['type'],
  entries: readonly string[] | undefined,
): { name: string; folder?: string } | undefined {
  if (type === 'war') return { name: 'tomcat' };
  if (type === 'ear') return { name: 'jboss' };
  if (type === 'jar') return { name: 'java' };
  if (entries === undefined) return undefined;
  for (const [file, name] of MARKS) {
    const found = entries
      .filter((entry) => entry === file || entry.endsWith(`/${file}`))
      .sort((a, b) => a.length - b.length)[0];
    const folder = found?.slice(0, -file.length).replace(/\/$/, '');
    // Deeper than one folder it belongs to something that the application carries with it.
    if (folder !== undefined && !folder.includes('/')) return folder === '' ? { name } : { name, folder };
  }
  return undefined;
}

const MARKS: readonly (readonly [string, string])[] = [
  ['WEB-INF/web.xml', 'tomcat'],
  ['package.json', 'nodejs'],
  ['composer.json', 'php'],
  ['index.php', 'php'],
  ['requirements.txt', 'python'],
  ['setup.py', 'python'],
  ['Gemfile', 'ruby'],
  ['config.ru', 'ruby'],
  ['pom.xml', 'java'],
  ['server.js', 'nodejs'],
  ['app.js', 'nodejs'],
  ['app.py', 'python'],
  ['index.html', 'static'],
];
