import { AdapterError } from '../adapter.js';
import type { Build } from './api-objects.js';
import { cancelBuild, isOver } from './build-objects.js';
import { explainWaiting } from './build-reasons.js';
import type { BuildPlan } from './builds.js';
import { rest } from './client.js';
import { isCode, isPassing, messageOf } from './errors.js';
import { waitFor } from './follow.js';
import { BUILD, BUILD_CONFIG, pathOf, SERVICE_ACCOUNT } from './kinds.js';
import { ANNOTATION, deploymentLabels, LABEL, selector } from './names.js';
import type { Work } from './work.js';

interface Start {
  plan: BuildPlan;
  /** Of the build configuration. */
  name: string;
  inputs: string;
}

const UPLOADS = 3;
const POLL = 500;

/**
 * Sends the artefact into a new build. The request is answered when the build's pod has taken all of it, so it waits as long as the build
 * waits for its turn and its node. It is no request to repeat blindly: what an unanswered one left is looked up and cancelled first.
 */
export async function startBuild(work: Work, start: Start): Promise<Build> {
  const { call, settings, client } = work;
  const { namespace } = start.plan;
  const end = Date.now() + settings.buildStartTimeout;
  await untilBuilderExists(work, namespace, end);
  for (let attempt = 1; ; attempt += 1) {
    await cancelHalfFed(work, start);
    call.step('upload', { text: `${start.plan.artefact.name}, ${start.plan.artefact.size} bytes` });
    try {
      const build = await uploadWatched(work, start);
      await client.patch(
        BUILD,
        namespace,
        build.metadata.name,
        { metadata: { annotations: { [ANNOTATION.uploaded]: start.plan.artefact.sha256 } } },
        call.signal,
      );
      return build;
    } catch (failure) {
      call.signal.throwIfAborted();
      if (lacksBuilder(failure) && Date.now() < end) {
        await rest(POLL, call.signal);
        attempt -= 1;
        continue;
      }
      if (neverStarted(failure) || failure instanceof AdapterError) {
        const told = failure instanceof AdapterError ? failure : await neverRan(work, start, messageOf(failure));
        await cancelHalfFed(work, start);
        throw told;
      }
      if (!isPassing(failure) || attempt >= UPLOADS) throw failure;
      await rest(POLL * attempt, call.signal);
    }
  }
}

/** A new project gets its service account for builds some seconds later. */
async function untilBuilderExists({ client, call }: Work, namespace: string, end: number): Promise<void> {
  for (;;) {
    try {
      if ((await client.read(SERVICE_ACCOUNT, namespace, 'builder', call.signal)) !== undefined) return;
    } catch (failure) {
      // Without the right to look, the request itself will tell.
      if (isCode(failure, 403)) return;
      throw failure;
    }
    if (Date.now() > end) {
      throw new AdapterError(
        'timeout',
        `Project ${namespace} has no service account "builder". Are builds enabled on this cluster?`,
      );
    }
    await rest(POLL, call.signal);
  }
}

/** The account is there, its registry credentials are not yet. */
function lacksBuilder(failure: unknown): boolean {
  return isCode(failure, 500) && /error getting push\/pull secrets|serviceaccounts? .*builder/.test(failure.message);
}

/** 400 after the server's own limit for the pod to run, and 504 when there was no pod at all. */
function neverStarted(failure: unknown): boolean {
  if (isCode(failure, 504)) return true;
  return (
    isCode(failure, 400) &&
    /wait for build .* to run|timed out waiting|cannot upload file to build/.test(failure.message)
  );
}

/** The upload, watched from the side: a build that does not come to run is given up after our own limit. */
async function uploadWatched(work: Work, start: Start): Promise<Build> {
  const { client, settings, call } = work;
  const { plan, name } = start;
  const stop = new AbortController();
  const signal = AbortSignal.any([call.signal, stop.signal]);
  const path = pathOf(BUILD_CONFIG, plan.namespace, name, 'instantiatebinary');
  const patience = settings.buildStartTimeout + settings.requestTimeout;
  const upload = client.upload<Build>(path, { name, asFile: plan.asFile }, plan.artefact, patience, signal);
  const guard = untilRunning({ ...work, call: { ...call, signal } }, start);
  try {
    return await Promise.race([upload, guard]);
  } finally {
    stop.abort();
    await Promise.allSettled([upload, guard]);
  }
}

/** Never resolves: rejects when no build of ours came to run in time. */
async function untilRunning(work: Work, start: Start): Promise<never> {
  const { client, settings, call } = work;
  const labels = labelsOf(start);
  const { namespace } = start.plan;
  await waitFor<Build, true>(
    client,
    BUILD,
    { namespace, labels },
    (builds) => {
      const open = builds.find((build) => !isOver(build));
      if (open) call.step('upload', { text: `${open.metadata.name}: ${open.status?.phase ?? 'New'}` });
      return open?.status?.phase === 'Running' ? true : undefined;
    },
    {
      limit: settings.buildStartTimeout,
      signal: call.signal,
      what: async () => {
        throw await neverRan(work, start, 'it waits for its turn or for a node');
      },
    },
  );
  return await untilAborted(call.signal);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

async function neverRan(work: Work, start: Start, words: string): Promise<AdapterError> {
  const { namespace } = start.plan;
  const open = (await openBuilds(work, start))[0];
  const reason = open ? await explainWaiting(work, namespace, open.metadata.name) : '';
  const seconds = Math.round(work.settings.buildStartTimeout / 1000);
  const name = open?.metadata.name ?? start.name;
  return new AdapterError('timeout', `Build ${name} did not start within ${seconds} s${reason || `: ${words}`}`);
}

/**
 * Ends and removes what interrupted uploads left: such a build has half of the artefact, and with a single file would not even show it.
 * One that is at work on something else is ended, as builds wait for each other.
 */
async function cancelHalfFed(work: Work, start: Start): Promise<void> {
  const { client, settings, call } = work;
  const { namespace, key } = start.plan;
  const labels = selector(deploymentLabels(key));
  const { items } = await client.list<Build>(BUILD, { namespace, labels }, call.signal);
  const open = items.filter((build) => !isOver(build));
  for (const build of open) await cancelBuild(work, namespace, build.metadata.name);
  if (open.length > 0) {
    await waitFor<Build, true>(
      client,
      BUILD,
      { namespace, labels },
      (builds) => (builds.every((build) => isOver(build)) ? true : undefined),
      {
        limit: settings.buildStartTimeout,
        signal: call.signal,
        what: () => `Build ${open[0]?.metadata.name} does not let itself be cancelled`,
      },
    );
  }
  const halfFed = items.filter((build) => build.metadata.annotations?.[ANNOTATION.uploaded] === undefined);
  for (const build of halfFed) {
    await client.remove(BUILD, { metadata: { ...build.metadata, namespace } }, 'Background', call.signal);
  }
}

async function openBuilds({ client, call }: Work, start: Start): Promise<Build[]> {
  const selection = { namespace: start.plan.namespace, labels: selector(deploymentLabels(start.plan.key)) };
  const { items } = await client.list<Build>(BUILD, selection, call.signal);
  return items.filter((build) => !isOver(build));
}

function labelsOf({ plan, inputs }: Start): string {
  return selector({ ...deploymentLabels(plan.key), [LABEL.inputs]: inputs });
}
