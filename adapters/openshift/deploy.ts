import { AdapterError, type DeploymentReport, type DeploymentSpec } from '../adapter.js';
import type { Deployment } from './api-objects.js';
import { buildImage } from './builds.js';
import { type Choosing, chooseRuntime } from './choose.js';
import { findDeployment, previousOf, releaseOf, report, subjectOf } from './deployments.js';
import { messageOf, toAdapterError } from './errors.js';
import { DEPLOYMENT, SERVICE } from './kinds.js';
import { deploymentManifest, type Release, serviceManifest } from './manifests.js';
import { deploymentLabels } from './names.js';
import { applyOwned } from './ownership.js';
import { ensureProject } from './projects.js';
import { removeDeployment } from './remove.js';
import { untilReady } from './rollout.js';
import { ensureRoute } from './routes.js';
import { ensureVariables, variableSecrets } from './variables.js';
import { unstoppable, type Work } from './work.js';

/** Everything that a deploy needs to know, found before anything is made. */
interface Plan {
  spec: DeploymentSpec;
  namespace: string;
  choosing: Choosing;
  existing: Deployment | undefined;
}

export async function deploy(work: Work, spec: DeploymentSpec): Promise<DeploymentReport> {
  const choosing = await chooseRuntime(work, spec);
  const namespace = await ensureProject(work, spec.environment);
  const remarks = [...choosing.remarks, ...(await ensureVariables(work, namespace, spec.environment))];
  const existing = await findDeployment(work, namespace, spec.key);
  const plan: Plan = { spec, namespace, choosing, existing };
  const isFirst = existing === undefined || previousOf(existing) === 'first';
  try {
    const wanted = await wantedRelease(work, plan);
    const current = existing && previousOf(existing) === undefined ? releaseOf(existing) : undefined;
    if (current && sameRelease(current, wanted)) return await report(work, spec.key, remarks);
    const image = current && current.inputs === wanted.inputs ? current.image : await buildImage(work, buildPlan(plan));
    await rollOut(work, plan, { ...wanted, image });
  } catch (failure) {
    if (isFirst) await undo(work, plan, failure);
    throw failure;
  }
  return await report(work, spec.key, remarks);
}

type Wanted = Omit<Release, 'image'>;

async function wantedRelease(work: Work, { spec, namespace, choosing }: Plan): Promise<Wanted> {
  const secrets = await variableSecrets(work, namespace, spec.environment);
  const disk = spec.disk ?? spec.environment.disk;
  return {
    versionId: spec.versionId,
    artefact: spec.artefact.sha256,
    inputs: choosing.inputs,
    runtime: choosing.runtime.name,
    memory: choosing.memory,
    ...(disk === undefined ? {} : { disk }),
    secrets: secrets.names,
    variables: secrets.print,
  };
}

function sameRelease(current: Release, wanted: Wanted): boolean {
  const { image: _, ...rest } = current;
  const text = (one: Wanted) => JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(rest) === text(wanted);
}

function buildPlan({ spec, namespace, choosing }: Plan) {
  return { namespace, key: spec.key, artefact: spec.artefact, ...choosing.source };
}

/** Puts the release in place; a started one goes on serving until the new one is ready, and again when it never is. */
async function rollOut(work: Work, plan: Plan, release: Release): Promise<void> {
  const { client, call } = work;
  const { spec, namespace, existing } = plan;
  const labels = deploymentLabels(spec.key);
  await applyOwned(client, SERVICE, serviceManifest(namespace, spec.key), labels, call.signal);
  await ensureRoute(work, namespace, spec.key, spec.applicationName);
  call.step('deployment');
  const started = (existing?.spec.replicas ?? 0) > 0;
  // Unproven: what was there before stands in the annotation until the end, also for a run after a crash.
  const unproven = existing && previousOf(existing);
  const before = unproven ?? (existing && releaseOf(existing)) ?? 'first';
  await put(work, plan, release, before);
  try {
    if (started) await untilReady(work, subjectOf(namespace, spec.key));
  } catch (failure) {
    if (before !== 'first') await goBack(work, plan, before, failure);
    throw failure;
  }
  await put(work, plan, release, undefined);
}

async function put(work: Work, plan: Plan, release: Release, previous: Release | 'first' | undefined): Promise<void> {
  const { client, settings, call } = work;
  const { spec, namespace, existing } = plan;
  const manifest = deploymentManifest({
    namespace,
    key: spec.key,
    applicationName: spec.applicationName,
    release,
    ...(previous === undefined ? {} : { previous: previous === 'first' ? null : previous }),
    replicas: (existing?.spec.replicas ?? 0) > 0 ? spec.processes : 0,
    processes: spec.processes,
    deadline: Math.max(2, Math.ceil(settings.rolloutTimeout / 1000)),
  });
  await applyOwned<Deployment>(client, DEPLOYMENT, manifest, deploymentLabels(spec.key), call.signal);
}

/** The old release again, by its digest. Its processes still run, so this ends soon; also when the call was aborted. */
async function goBack(work: Work, plan: Plan, before: Release, failure: unknown): Promise<void> {
  const undoing = unstoppable(work);
  work.call.step('going-back', { text: `to version ${before.versionId}` });
  try {
    await put(undoing, plan, before, before);
    await untilReady(undoing, subjectOf(plan.namespace, plan.spec.key));
    await put(undoing, plan, before, undefined);
  } catch (second) {
    throw withRemains(failure, `The previous version could not be brought back: ${messageOf(second)}`);
  }
}

/** A first deploy that failed leaves nothing. */
async function undo(work: Work, { spec, namespace }: Plan, failure: unknown): Promise<void> {
  try {
    await removeDeployment(unstoppable(work), namespace, spec.key);
  } catch (second) {
    throw withRemains(
      failure,
      `What was made for it could not be removed from project ${namespace}: ${messageOf(second)}`,
    );
  }
}

function withRemains(failure: unknown, remains: string): unknown {
  if (!(failure instanceof Error) || failure.name === 'AbortError') return failure;
  const { kind, message } = toAdapterError(failure, 'deploying');
  return new AdapterError(kind, `${message}\n${remains}`, { cause: failure });
}
