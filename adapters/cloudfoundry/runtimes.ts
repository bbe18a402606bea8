import type { Artefact, EnvironmentNode, OfferedNode } from '../../src/domain/model.js';
import { chooseNode, knownWord, unknownNode } from '../../src/domain/nodes.js';
import { AdapterError } from '../adapter.js';
import type { Foundry } from './client.js';
import { type Buildpack, read } from './resources.js';
import type { Settings } from './settings.js';

/** Container's word → buildpack of the platform's usual set. The option `buildpacks` comes before it. */
const USUAL: Readonly<Record<string, string>> = {
  tomcat: 'java_buildpack',
  jetty: 'java_buildpack',
  jboss: 'java_buildpack',
  spring: 'java_buildpack',
  java: 'java_buildpack',
  node: 'nodejs_buildpack',
  php: 'php_buildpack',
  python: 'python_buildpack',
  ruby: 'ruby_buildpack',
  static: 'staticfile_buildpack',
};

/** MiB: the Java buildpack's memory calculator refuses to start a servlet container with less. */
const JAVA_FLOOR = 768;
const FLOOR = 64;

export interface Runtime {
  /** Empty: the platform detects. */
  buildpacks: string[];
  /** MiB; undefined: the platform's default. */
  memory?: number;
  remarks: string[];
}

export async function installedBuildpacks({ cc, settings }: Foundry, signal: AbortSignal): Promise<Buildpack[]> {
  const all = await cc.list('/v3/buildpacks', read.buildpack, signal, { order_by: 'position', stacks: settings.stack });
  return all.filter((one) => one.enabled && (one.state ?? 'READY') === 'READY');
}

/** The containers that can run, for `chooseNode`: the configured ones, then those whose usual buildpack is installed. */
export function offeredContainers(installed: readonly Buildpack[], settings: Settings): OfferedNode[] {
  const configured = Object.keys(settings.buildpacks);
  const usual = Object.keys(USUAL).filter(
    (word) => !settings.buildpacks[word] && installedAs(USUAL[word] ?? '', installed),
  );
  return [...configured, ...usual].map((name) => ({ name, versions: [] }));
}

/** Which buildpacks stage an artefact for an environment, and with how much memory it runs. Throws `rejected` for an unknown container. */
export function chooseRuntime(
  environment: { nodes: readonly EnvironmentNode[] },
  artefact: Artefact['type'],
  wantedMemory: number | undefined,
  installed: readonly Buildpack[],
  settings: Settings,
): Runtime {
  const node = environment.nodes.find((one) => one.contentType === 'container');
  const remarks: string[] = [];
  const container = node ? containerOf(node, installed, settings) : artefact === 'zip' ? undefined : 'java';
  const buildpacks = container === undefined ? [] : buildpacksOf(container, installed, settings);
  if ((container === 'jboss' || container === 'jetty') && !settings.buildpacks[container])
    remarks.push(`${container} is not offered; the application runs in the Tomcat of ${buildpacks.join(', ')}.`);
  if (node?.version) remarks.push(`The version of ${node.name} is the buildpack's; ${node.version} cannot be chosen.`);
  return { buildpacks, remarks, ...memoryOf(wantedMemory, buildpacks, remarks) };
}

/** An environment's nodes that are neither containers, databases nor services mean nothing here. */
export function ignoredNodes(nodes: readonly EnvironmentNode[]): string[] {
  return nodes
    .filter((node) => !['container', 'database', 'service'].includes(node.contentType))
    .map((node) => `The ${node.contentType} "${node.name}" is not needed on Cloud Foundry and is ignored.`);
}

/** Artefacts that can run: an EAR only where a configured buildpack brings an application server for it. */
export function runnableArtefacts(settings: Settings): readonly Artefact['type'][] {
  const serves = Object.keys(settings.buildpacks).some((word) => knownWord(word) === 'jboss');
  return serves ? ['war', 'ear', 'jar', 'zip'] : ['war', 'jar', 'zip'];
}

function containerOf(node: EnvironmentNode, installed: readonly Buildpack[], settings: Settings): string {
  const offered = offeredContainers(installed, settings);
  const configured = Object.keys(settings.buildpacks).find((word) => node.name.toLowerCase().includes(word));
  const choice = configured ?? chooseNode(node, offered)?.name;
  if (choice === undefined) throw new AdapterError('rejected', unknownNode(node, offered));
  return choice;
}

function buildpacksOf(container: string, installed: readonly Buildpack[], settings: Settings): string[] {
  const wanted = settings.buildpacks[container] ?? [USUAL[container] ?? ''];
  return wanted.map((name) => {
    // A buildpack may be named by the address of a git repository; the platform judges it.
    if (name.includes('://')) return name;
    const there = installedAs(name, installed);
    if (there !== undefined) return there;
    const names = [...new Set(installed.map((one) => one.name))].join(', ') || 'none';
    throw new AdapterError(
      'rejected',
      `The buildpack "${name}" for ${container} is not installed. There is: ${names}.`,
    );
  });
}

/** `java_buildpack` is called `java_buildpack_offline` on some platforms. */
function installedAs(name: string, installed: readonly Buildpack[]): string | undefined {
  const exact = installed.find((one) => one.name === name);
  return (exact ?? installed.find((one) => one.name.startsWith(`${name}_`)))?.name;
}

function memoryOf(wanted: number | undefined, buildpacks: string[], remarks: string[]): { memory?: number } {
  if (wanted === undefined) return {};
  const floor = buildpacks.some((name) => name.includes('java')) ? JAVA_FLOOR : FLOOR;
  if (wanted >= floor) return { memory: wanted };
  remarks.push(`${wanted} MiB is too little for ${buildpacks.join(', ') || 'an application'}; it gets ${floor} MiB.`);
  return { memory: floor };
}
