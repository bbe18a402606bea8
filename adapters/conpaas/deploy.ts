import { AdapterError, type DeploymentReport, type DeploymentSpec } from '../adapter.js';
import { translate } from './errors.js';
import { remove, whyNot } from './lifecycle.js';
import { codeDescription, serviceName } from './names.js';
import { type Chosen, chooseType, DEFAULT_MEMORY } from './runtimes.js';
import { needApplication } from './services.js';
import { reportOf } from './states.js';
import {
  CLEANING,
  type CodeVersion,
  type Found,
  findService,
  needService,
  ours,
  untilResting,
  type Work,
} from './work.js';

/**
 * Each deployment is a service of the container's type, made at the first deploy and stopped until it is started. What is uploaded
 * carries version and digest as its description, so that a repetition finds it.
 */
export async function deploy(work: Work, spec: DeploymentSpec): Promise<DeploymentReport> {
  const chosen = await chooseType(work, spec.environment, spec.artefact);
  const found = await findService(work, spec.key);
  // A service whose first deploy never came to its end serves nothing that would have to go on.
  const fresh = found === undefined || !isCodeOfOurs(found);
  if (found && found.status.type !== chosen.type) {
    throw new AdapterError(
      'rejected',
      `It is deployed as a ${found.status.type} service, and ${spec.artefact.name} needs ${chosen.type}: undeploy it first.`,
    );
  }
  try {
    const service = found ?? (await makeService(work, spec, chosen));
    const remarks = await bring(work, spec, chosen, service);
    const { status } = await needService(work, spec.key);
    return { ...reportOf(status, spec.key), remarks: [...chosen.remarks, ...remarks] };
  } catch (error) {
    throw fresh ? await withoutRemains(work, spec, error) : error;
  }
}

function isCodeOfOurs({ status }: Found): boolean {
  return status.code.description.startsWith('COAPS ');
}

async function makeService(work: Work, spec: DeploymentSpec, { type }: Chosen): Promise<Found> {
  const { director, call } = work;
  const aid = await needApplication(work, spec.environment);
  call.step('service', { text: `making a ${type} service` });
  await director.startService(type, aid, serviceName(spec.key), call.signal);
  return await needService(work, spec.key);
}

/** Brings code, environment, memory and number of processes to the service. Returns what was adapted. */
async function bring(work: Work, spec: DeploymentSpec, chosen: Chosen, found: Found): Promise<string[]> {
  await untilResting(work, found, 'wait');
  const { memory, remarks } = memoryOf(spec, chosen);
  const codeVersionId = await upload(work, spec, found);
  const settings = { variables: spec.environment.variables, memory, backends: spec.processes, codeVersionId };
  const before = await ours(found.manager.get('get_settings'));
  if (before === undefined) remarks.push(...(await enableOnly(work, spec, found, codeVersionId)));
  else if (!isSame(before, settings)) await change(work, found, settings);
  await forgetOld(found, codeVersionId);
  return remarks;
}

function memoryOf(spec: DeploymentSpec, { floor, type }: Chosen): { memory: number; remarks: string[] } {
  const wanted = spec.memory ?? spec.environment.memory;
  const memory = Math.max(wanted ?? Math.max(DEFAULT_MEMORY, floor), floor);
  if (wanted === undefined || wanted >= floor) return { memory, remarks: [] };
  return {
    memory,
    remarks: [`Memory was raised from ${wanted} to ${floor} MiB, the least that a ${type} service needs.`],
  };
}

/** Bytes that are there already are not sent again. */
async function upload(work: Work, { artefact, versionId }: DeploymentSpec, { manager }: Found): Promise<string> {
  const description = codeDescription(versionId, artefact.sha256);
  const { codeVersions } = (await manager.get('list_code_versions')) as { codeVersions: CodeVersion[] };
  const there = codeVersions.find((version) => version.description === description);
  if (there) return there.codeVersionId;
  work.call.step('upload', { progress: 0 });
  return await manager.uploadCode(artefact, description);
}

interface Wanted {
  variables: Readonly<Record<string, string>>;
  memory: number;
  backends: number;
  codeVersionId: string;
}

function isSame(before: unknown, wanted: Wanted): boolean {
  const { variables, memory, backends, codeVersionId } = before as Wanted;
  const text = (map: Wanted['variables']) => JSON.stringify(Object.entries(map).sort());
  return (
    memory === wanted.memory &&
    backends === wanted.backends &&
    codeVersionId === wanted.codeVersionId &&
    text(variables) === text(wanted.variables)
  );
}

/** One transition of the service for all of it. When it is aborted or fails, what was before serves on. */
async function change(work: Work, found: Found, wanted: Wanted): Promise<void> {
  work.call.step('enable');
  await ended(work, found);
  await found.manager.post('update_settings', { ...wanted });
  try {
    await untilResting(work, found, 'enable');
  } catch (error) {
    await undo(work, found).catch(() => undefined);
    throw error;
  }
  const after = await found.manager.get('get_settings');
  if (!isSame(after, wanted)) {
    throw new AdapterError('failed', await whyNot(found, 'The new version did not start; the old one goes on.'));
  }
}

/** A service in ERROR serves nothing: what remains of it is put away first. */
async function ended(work: Work, found: Found): Promise<void> {
  if (found.status.state !== 'ERROR') return;
  await found.manager.post('reset');
  await untilResting(work, found, 'reset');
}

async function undo(work: Work, found: Found): Promise<void> {
  const limited = { ...work, call: { ...work.call, signal: AbortSignal.timeout(CLEANING) } };
  const manager = work.managers.at(found.address, limited.call);
  await manager.post('undo');
  await untilResting(limited, { ...found, manager }, 'undo');
}

/** On a ConPaaS that is not ours: enabling is all that it knows. */
async function enableOnly(work: Work, spec: DeploymentSpec, found: Found, codeVersionId: string): Promise<string[]> {
  const methods: Record<string, string> = { php: 'update_php_configuration', java: 'update_java_configuration' };
  work.call.step('enable');
  await found.manager.post(methods[found.status.type] ?? 'enable_code', { codeVersionId });
  await untilResting(work, found, 'enable');
  const unset = Object.keys(spec.environment.variables);
  return unset.length === 0 ? [] : [`This ConPaaS sets no environment variables; ${unset.join(', ')} are not set.`];
}

/** Versions that are neither current nor the initial one. */
async function forgetOld({ manager }: Found, current: string): Promise<void> {
  const { codeVersions } = (await manager.get('list_code_versions')) as { codeVersions: CodeVersion[] };
  for (const { codeVersionId, description } of codeVersions) {
    if (codeVersionId === current || !description.startsWith('COAPS ')) continue;
    await manager.post('delete_code_version', { codeVersionId });
  }
}

/** Removes what a failed first deploy made and gives the error back, with what remained. */
async function withoutRemains(work: Work, spec: DeploymentSpec, cause: unknown): Promise<unknown> {
  const limited = { ...work, call: { step: () => undefined, signal: AbortSignal.timeout(CLEANING) } };
  try {
    const found = await findService(limited, spec.key);
    if (found) await remove(limited, found.status.sid);
    return cause;
  } catch (error) {
    const translated = translate(cause);
    const kind = translated instanceof AdapterError ? translated.kind : 'cancelled';
    const text = `${(cause as Error).message} The service "${serviceName(spec.key)}" could not be removed: ${(error as Error).message}`;
    return new AdapterError(kind, text, { cause });
  }
}
