import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  type AdapterCall,
  AdapterError,
  type ArtefactSource,
  type DeploymentReport,
  type DeploymentSpec,
} from '../adapter.js';
import type { MemoryPlatform } from './client.js';
import { translate } from './errors.js';
import type { PlatformDeployment, PlatformRelease } from './objects.js';
import { chooseNodes, MEMORY_FLOOR } from './services.js';
import { reportOf } from './states.js';

/** What runs without an application server's name in the environment. An enterprise archive needs one. */
const NEEDS_SERVER: readonly string[] = ['ear'];
const SERVERS: readonly string[] = ['jboss'];

export async function deploy(
  platform: MemoryPlatform,
  spec: DeploymentSpec,
  call: AdapterCall,
): Promise<DeploymentReport> {
  const { container, remarks } = chooseNodes(spec.environment.nodes);
  refuseUnrunnable(spec, container);
  const release = releaseOf(spec);
  const found = await platform.find(spec.key, call.signal);
  const fresh = found?.release === undefined;
  try {
    if (!found) await platform.create(spec.key, call.signal);
    if (!isCurrent(found, release)) await bring(platform, spec, release, call);
  } catch (error) {
    throw fresh ? await withoutRemains(platform, spec, error) : error;
  }
  const memory = Math.max(spec.memory ?? spec.environment.memory ?? MEMORY_FLOOR, MEMORY_FLOOR);
  if (spec.memory !== undefined && spec.memory < memory) {
    remarks.push(`Memory was raised from ${spec.memory} to ${memory} MiB, the least that is possible here.`);
  }
  const done = await platform.resize(spec.key, { processes: spec.processes, memory }, call.signal);
  return { ...reportOf(done), remarks };
}

async function bring(
  platform: MemoryPlatform,
  spec: DeploymentSpec,
  release: PlatformRelease,
  call: AdapterCall,
): Promise<void> {
  await upload(spec.artefact, call);
  call.step('staging');
  const refused = await platform.stage(release, call.signal);
  if (refused) throw new AdapterError('failed', refused);
  call.step('release');
  await platform.work(call.signal);
  const crash = await platform.activate(spec.key, release, call.signal);
  if (crash) throw new AdapterError('failed', `The new version did not start, the old one goes on. ${crash}`);
}

/** Reads every byte, as a real upload does, and holds size and digest against what was promised. */
async function upload(artefact: ArtefactSource, call: AdapterCall): Promise<void> {
  const digest = createHash('sha256');
  const source = artefact.open();
  let size = 0;
  for await (const chunk of abortable(source, call.signal)) {
    digest.update(chunk);
    size += chunk.length;
    call.step('upload', { progress: Math.min(100, Math.round((100 * size) / Math.max(1, artefact.size))) });
  }
  if (size === artefact.size && digest.digest('hex') === artefact.sha256) return;
  throw new AdapterError(
    'rejected',
    `The uploaded bytes of ${artefact.name} are not those that were announced (${size} bytes came).`,
  );
}

async function* abortable(source: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => source.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of source) {
      yield chunk as Buffer;
      signal.throwIfAborted();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    source.destroy();
  }
}

/**
 * Removes what a failed first deploy made and gives the error back, with what remained. The deploy's own signal may be aborted already:
 * cleaning up has a limit of its own.
 */
async function withoutRemains(platform: MemoryPlatform, spec: DeploymentSpec, cause: unknown): Promise<unknown> {
  try {
    await platform.delete(spec.key, AbortSignal.timeout(10_000));
    return cause;
  } catch (error) {
    const translatedCause = translate(cause);
    const kind = translatedCause instanceof AdapterError ? translatedCause.kind : 'cancelled';
    const text = `${(cause as Error).message} What the deploy had made could not be removed: ${(error as Error).message}`;
    return new AdapterError(kind, text, { cause });
  }
}

function refuseUnrunnable(spec: DeploymentSpec, container: string | undefined): void {
  if (!NEEDS_SERVER.includes(spec.artefact.type) || (container !== undefined && SERVERS.includes(container))) return;
  throw new AdapterError(
    'not-supported',
    `An ${spec.artefact.type} archive needs an application server; an environment with the container ${SERVERS.join(' or ')} has one.`,
  );
}

function releaseOf({ versionId, applicationName, artefact, environment }: DeploymentSpec): PlatformRelease {
  const { name, type, size, sha256 } = artefact;
  return {
    versionId,
    applicationName,
    artefact: { name, type, size, sha256 },
    variables: { ...environment.variables },
  };
}

function isCurrent(deployment: PlatformDeployment | undefined, wanted: PlatformRelease): boolean {
  const current = deployment?.release;
  return (
    current?.versionId === wanted.versionId &&
    current.artefact.sha256 === wanted.artefact.sha256 &&
    JSON.stringify(current.variables) === JSON.stringify(wanted.variables)
  );
}
