import { AdapterError, type ArtefactSource, type DeploymentKey } from '../adapter.js';
import type { Build, ImageStream, ImageStreamImage, Manifest } from './api-objects.js';
import { cancelBuild, isOver } from './build-objects.js';
import { explainBuild, explainWaiting } from './build-reasons.js';
import { startBuild } from './build-start.js';
import type { Image } from './catalogue.js';
import { rest } from './client.js';
import { waitFor } from './follow.js';
import { BUILD, BUILD_CONFIG, IMAGE_STREAM, IMAGE_STREAM_IMAGE, IMAGE_STREAM_TAG, pathOf } from './kinds.js';
import { ANNOTATION, deploymentLabels, deploymentName, LABEL, selector } from './names.js';
import { applyOwned } from './ownership.js';
import type { Work } from './work.js';

export interface BuildPlan {
  namespace: string;
  key: DeploymentKey;
  artefact: ArtefactSource;
  builder: Image;
  /** The one file that the build gets; absent: the artefact is an archive to unpack. */
  asFile?: string;
  /** Folder in the archive that holds the application. */
  folder?: string;
  /** Print of what decides the image: the bytes, how they are given, and on what they are built. A label's value. */
  inputs: string;
}

const KEPT_BUILDS = 3;
const POLL = 500;
/** Milliseconds until a pushed image must be known to its stream. */
const PUSH_LIMIT = 10_000;

/** Builds the artefact into an image and returns it by digest. A build of the same inputs that ended well is used again. */
export async function buildImage(work: Work, plan: BuildPlan): Promise<string> {
  const { client, call } = work;
  const name = deploymentName(plan.key);
  const labels = deploymentLabels(plan.key);
  const { inputs } = plan;
  call.step('build-config');
  const stream = imageStream(plan, name, labels);
  await applyOwned<ImageStream>(client, IMAGE_STREAM, stream, labels, call.signal);
  await applyOwned(
    client,
    BUILD_CONFIG,
    buildConfig(plan, name, { ...labels, [LABEL.inputs]: inputs }),
    labels,
    call.signal,
  );

  for (;;) {
    const known = await findBuild(work, plan, inputs);
    const begun = known ?? (await startBuild(work, { plan, name, inputs }));
    const build = await untilBuilt(work, plan.namespace, begun);
    if (build.status?.phase !== 'Complete') throw await explainBuild(work, plan.namespace, build);
    const image = await imageOf(work, plan.namespace, name, build, known ? 0 : PUSH_LIMIT);
    if (image !== undefined) return image;
    if (!known)
      throw new AdapterError(
        'failed',
        `Build ${build.metadata.name} is complete, but its image is not in the registry.`,
      );
    // Its image was pruned: build again.
    await client.remove(BUILD, build, 'Background', call.signal);
  }
}

function imageStream(plan: BuildPlan, name: string, labels: Record<string, string>): Manifest {
  return {
    apiVersion: IMAGE_STREAM.apiVersion,
    kind: IMAGE_STREAM.kind,
    metadata: { name, namespace: plan.namespace, labels },
    spec: { lookupPolicy: { local: false } },
  };
}

/** Builds carry the labels of their configuration, so each is found by its inputs. */
function buildConfig(plan: BuildPlan, name: string, labels: Record<string, string>): Manifest {
  const { kind, namespace, name: from } = plan.builder;
  return {
    apiVersion: BUILD_CONFIG.apiVersion,
    kind: BUILD_CONFIG.kind,
    metadata: { name, namespace: plan.namespace, labels },
    spec: {
      runPolicy: 'Serial',
      source: { type: 'Binary', binary: {}, ...(plan.folder === undefined ? {} : { contextDir: plan.folder }) },
      strategy: {
        type: 'Source',
        sourceStrategy: { from: { kind, name: from, ...(namespace === undefined ? {} : { namespace }) } },
      },
      output: { to: { kind: IMAGE_STREAM_TAG.kind, name: `${name}:latest` } },
      successfulBuildsHistoryLimit: KEPT_BUILDS,
      failedBuildsHistoryLimit: KEPT_BUILDS,
    },
  };
}

/** A build of these inputs that is known to have taken all the bytes, and has not failed. */
async function findBuild({ client, call }: Work, plan: BuildPlan, inputs: string): Promise<Build | undefined> {
  const labels = selector({ ...deploymentLabels(plan.key), [LABEL.inputs]: inputs });
  const { items } = await client.list<Build>(BUILD, { namespace: plan.namespace, labels }, call.signal);
  const whole = items.filter((build) => build.metadata.annotations?.[ANNOTATION.uploaded] === plan.artefact.sha256);
  return whole.find((build) => build.status?.phase === 'Complete') ?? whole.find((build) => !isOver(build));
}

/** Waits for the end, good or bad. */
async function untilBuilt(work: Work, namespace: string, begun: Build): Promise<Build> {
  const { client, settings, call } = work;
  if (isOver(begun)) return begun;
  const { name } = begun.metadata;
  return await waitFor<Build, Build>(
    client,
    BUILD,
    { namespace, name },
    ([build]) => {
      if (build === undefined) throw new AdapterError('failed', `Build ${name} was deleted by somebody while it ran.`);
      call.step('build', { text: `${name}: ${build.status?.phase ?? 'New'}` });
      return isOver(build) ? build : undefined;
    },
    {
      limit: settings.buildTimeout,
      signal: call.signal,
      what: async () => {
        const reason = await explainWaiting(work, namespace, name);
        await cancelBuild(work, namespace, name);
        return `Build ${name} does not end${reason}`;
      },
    },
  );
}

/** By digest. The build itself says it; older builders say it in their log only. */
async function imageOf(
  work: Work,
  namespace: string,
  name: string,
  build: Build,
  patience: number,
): Promise<string | undefined> {
  const { client, call } = work;
  const digest = build.status?.output?.to?.imageDigest ?? (await digestInLog(work, namespace, build));
  if (digest === undefined) return undefined;
  const end = Date.now() + patience;
  for (;;) {
    const found = await client.read<ImageStreamImage>(IMAGE_STREAM_IMAGE, namespace, `${name}@${digest}`, call.signal);
    if (found?.image?.dockerImageReference !== undefined) return found.image.dockerImageReference;
    if (Date.now() >= end) return undefined;
    await rest(POLL, call.signal);
  }
}

async function digestInLog({ client, call }: Work, namespace: string, build: Build): Promise<string | undefined> {
  const text = await client.text(pathOf(BUILD, namespace, build.metadata.name, 'log'), { tailLines: 20 }, call.signal);
  return /Successfully pushed \S+@(sha256:[0-9a-f]{64})/.exec(text)?.[1];
}
