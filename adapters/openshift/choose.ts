import { createHash } from 'node:crypto';
import { AdapterError, type DeploymentSpec, type EnvironmentSpec } from '../adapter.js';
import { zipNames } from '../zip-names.js';
import type { BuildPlan } from './builds.js';
import { type Catalogue, type Image, readCatalogue } from './catalogue.js';
import { RUNTIMES, type Runtime, runtimeOf, wordIn } from './runtimes.js';
import type { Work } from './work.js';

/** On what an artefact is built, and how it is given to the build. */
export interface Choosing {
  runtime: Runtime;
  source: Pick<BuildPlan, 'builder' | 'asFile' | 'folder' | 'inputs'>;
  /** MiB. */
  memory: number;
  /** Print of everything that decides the image. */
  inputs: string;
  remarks: string[];
}

/** Throws `not-supported` or `rejected`; nothing was made yet. */
export async function chooseRuntime(work: Work, spec: DeploymentSpec): Promise<Choosing> {
  const catalogue = await readCatalogue(work.client, work.settings, work.call.signal);
  const { artefact } = spec;
  const entries = artefact.type === 'zip' ? await zipNames(artefact.open()) : undefined;
  const found = runtimeOf(artefact.type, entries);
  const container = demandContainer(catalogue, spec.environment);
  const name = container?.name ?? found?.name;
  if (name === undefined) {
    throw new AdapterError(
      'rejected',
      `It is not to be seen what ${artefact.name} needs. Name a container in the environment: ${offered(catalogue)}.`,
    );
  }
  const choice = catalogue.runtime(name, container?.version);
  if (!choice) {
    throw new AdapterError(
      'not-supported',
      `This cluster has no image that builds for "${name}". It has: ${offered(catalogue)}.`,
    );
  }
  const { what: runtime, image } = choice;
  const isWebArchive = artefact.type === 'zip' && found?.name === 'tomcat' && runtime.artefacts.includes('war');
  if (!runtime.artefacts.includes(artefact.type) && !isWebArchive) {
    const able = catalogue.offer().containers.map((one) => one.name);
    const names = RUNTIMES.filter((one) => one.artefacts.includes(artefact.type) && able.includes(one.name)).map(
      (one) => one.name,
    );
    throw new AdapterError(
      'not-supported',
      `${runtime.name} does not run a ${artefact.type}. Containers of this cluster that do: ${names.join(', ') || 'none'}.`,
    );
  }
  const asFile = artefact.type === 'zip' && !isWebArchive ? undefined : fileNameOf(spec, runtime, isWebArchive);
  const folder = asFile === undefined && found?.name === runtime.name ? found.folder : undefined;
  const memory = spec.memory ?? spec.environment.memory ?? work.settings.memory;
  const remarks = [...choice.remarks];
  if (memory < runtime.memory)
    remarks.push(`Memory was raised from ${memory} to ${runtime.memory} MiB: ${runtime.name} needs it.`);
  const inputs = printOf(artefact.sha256, image, asFile, folder);
  return {
    runtime,
    source: {
      builder: image,
      inputs,
      ...(asFile === undefined ? {} : { asFile }),
      ...(folder === undefined ? {} : { folder }),
    },
    memory: Math.max(memory, runtime.memory),
    inputs,
    remarks,
  };
}

/** The container that an environment names. Throws `rejected` for a word that means none. */
export function demandContainer(
  catalogue: Catalogue,
  environment: Pick<EnvironmentSpec, 'nodes'>,
): { name: string; version: string | undefined } | undefined {
  const node = environment.nodes.find((one) => one.contentType === 'container');
  if (!node) return undefined;
  const runtime = wordIn(RUNTIMES, node.name);
  if (!runtime) {
    throw new AdapterError('rejected', `OpenShift has no container "${node.name}". It has: ${offered(catalogue)}.`);
  }
  return { name: runtime.name, version: node.version || undefined };
}

/** A war answers at the root of its address; what else is one file keeps its name, as some servers look at its ending. */
function fileNameOf({ artefact }: DeploymentSpec, runtime: Runtime, isWebArchive: boolean): string {
  const isWar = artefact.type === 'war' || isWebArchive;
  if (isWar) return runtime.fileName ?? 'ROOT.war';
  const plain = artefact.name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]+/, '');
  return plain.toLowerCase().endsWith(`.${artefact.type}`) ? plain : `${plain || 'application'}.${artefact.type}`;
}

function printOf(artefact: string, { kind, namespace = '', name }: Image, asFile = '', folder = ''): string {
  return createHash('sha256')
    .update([artefact, asFile, folder, kind, namespace, name].join('\n'))
    .digest('hex')
    .slice(0, 40);
}

function offered(catalogue: Catalogue): string {
  return (
    catalogue
      .offer()
      .containers.map((one) => one.name)
      .join(', ') || 'none'
  );
}
