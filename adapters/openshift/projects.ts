import { AdapterError, type EnvironmentKey, type EnvironmentSpec } from '../adapter.js';
import type { ConfigMap, Project } from './api-objects.js';
import { rest } from './client.js';
import { isCode, isTerminating } from './errors.js';
import { CONFIG_MAP, NAMESPACE, PROJECT, PROJECT_REQUEST } from './kinds.js';
import { carries, environmentLabels, OWNERSHIP, projectMark, projectName } from './names.js';
import type { Work } from './work.js';

const DESCRIPTION = 'openshift.io/description';
/** Milliseconds: a new project's rights reach all API servers some moments after its making. */
const RIGHTS_LIMIT = 30_000;
const POLL = 500;

/** What stands under the name of an environment's project, and which object that is. */
type Standing = { is: 'absent' } | { is: 'ours' | 'terminating' | 'foreign'; uid: string | undefined };

/**
 * Makes the environment's project, or finds it. A project's labels cannot be set by those who ask for it, so the description that came
 * with the request and the ConfigMap inside say whose it is: one of them is enough, as a crash may have come between the two.
 */
export async function ensureProject(work: Work, environment: EnvironmentSpec): Promise<string> {
  const { client, settings, call } = work;
  const name = projectName(settings.projectPrefix, environment);
  call.step('project', { text: name });
  for (let attempt = 1; ; attempt += 1) {
    let standing = await standingOf(work, environment);
    if (standing.is === 'terminating') {
      await untilGone(work, environment, standing.uid);
      standing = { is: 'absent' };
    }
    if (standing.is === 'absent') {
      try {
        await client.create(
          PROJECT_REQUEST,
          undefined,
          {
            apiVersion: PROJECT_REQUEST.apiVersion,
            kind: PROJECT_REQUEST.kind,
            metadata: { name },
            displayName: environment.name,
            description: projectMark(environment),
          },
          call.signal,
        );
      } catch (failure) {
        // Answered already, and the answer was lost; or somebody else's, invisible to us; or not quite gone.
        if (!isCode(failure, 409)) throw failure;
        standing = await standingOf(work, environment);
        if (standing.is === 'absent' && attempt === 1) standing = await settled(work, environment);
        if (standing.is === 'terminating' && attempt < 3) continue;
        if (standing.is === 'absent') standing = { is: 'foreign', uid: undefined };
      }
    }
    if (standing.is === 'foreign') {
      throw new AdapterError(
        'conflict',
        `A project "${name}" exists that this gateway did not make. Remove it or configure another projectPrefix.`,
      );
    }
    await claim(work, environment, name);
    return name;
  }
}

/** The account may see its new project a moment later than it was made. */
async function settled(work: Work, environment: EnvironmentKey): Promise<Standing> {
  const end = Date.now() + 5000;
  for (;;) {
    const standing = await standingOf(work, environment);
    if (standing.is !== 'absent' || Date.now() > end) return standing;
    await rest(POLL, work.call.signal);
  }
}

/** The ConfigMap that says whose project this is. */
async function claim({ client, call }: Work, environment: EnvironmentSpec, namespace: string): Promise<void> {
  const { installation, envId } = environment;
  const end = Date.now() + RIGHTS_LIMIT;
  for (;;) {
    try {
      await client.apply(
        CONFIG_MAP,
        {
          apiVersion: CONFIG_MAP.apiVersion,
          kind: CONFIG_MAP.kind,
          metadata: { name: OWNERSHIP, namespace, labels: environmentLabels(environment) },
          data: {
            installation,
            envId: String(envId),
            note: 'Made by a COAPS gateway. Deleting this makes the project a stranger to it.',
          },
        },
        call.signal,
      );
      return;
    } catch (failure) {
      if (isTerminating(failure)) {
        throw new AdapterError('conflict', `Project "${namespace}" is being deleted. Try again when it is gone.`, {
          cause: failure,
        });
      }
      if (!isCode(failure, 403) || Date.now() > end) throw failure;
      await rest(POLL, call.signal);
    }
  }
}

/** An ordinary account gets 403, not 404, for a project that does not exist or is another's. */
async function standingOf({ client, settings, call }: Work, key: EnvironmentKey): Promise<Standing> {
  const name = projectName(settings.projectPrefix, key);
  let project: Project | undefined;
  try {
    project = await client.read<Project>(PROJECT, undefined, name, call.signal);
  } catch (failure) {
    if (!isCode(failure, 403)) throw failure;
  }
  if (project === undefined) return { is: 'absent' };
  const { uid, deletionTimestamp } = project.metadata;
  if (!(await isOurs())) return { is: 'foreign', uid };
  const leaving = project.status?.phase === 'Terminating' || deletionTimestamp !== undefined;
  return { is: leaving ? 'terminating' : 'ours', uid };

  async function isOurs(): Promise<boolean> {
    if (project?.metadata.annotations?.[DESCRIPTION] === projectMark(key)) return true;
    try {
      const map = await client.read<ConfigMap>(CONFIG_MAP, name, OWNERSHIP, call.signal);
      return map !== undefined && carries(map.metadata, environmentLabels(key));
    } catch (failure) {
      if (isCode(failure, 403)) return false;
      throw failure;
    }
  }
}

/** The environment's project when it is there, ours and not on its way out. */
export async function findProject(work: Work, key: EnvironmentKey): Promise<string | undefined> {
  const standing = await standingOf(work, key);
  return standing.is === 'ours' ? projectName(work.settings.projectPrefix, key) : undefined;
}

/** Deletes the project with all that is in it, and waits until its name is free. A stranger's is left alone: ours is then not there. */
export async function deleteProject(work: Work, key: EnvironmentKey): Promise<void> {
  const { client, settings, call } = work;
  const name = projectName(settings.projectPrefix, key);
  const standing = await standingOf(work, key);
  if (standing.is === 'absent' || standing.is === 'foreign') return;
  call.step('project', { text: `deleting ${name}` });
  if (standing.is === 'ours') await client.remove(PROJECT, { metadata: { name } }, 'Background', call.signal);
  await untilGone(work, key, standing.uid);
}

/** Waits until the project with the uid is no longer there; another one may have its name by then. */
async function untilGone(work: Work, key: EnvironmentKey, uid: string | undefined): Promise<void> {
  const { settings, call } = work;
  const name = projectName(settings.projectPrefix, key);
  const end = Date.now() + settings.deleteTimeout;
  let pause = 50;
  for (;;) {
    const standing = await standingOf(work, key);
    if (standing.is === 'absent' || standing.uid !== uid) return;
    if (Date.now() > end) {
      const reason = await whatHolds(work, name);
      throw new AdapterError(
        'timeout',
        `Project ${name} is still Terminating after ${settings.deleteTimeout / 1000} s${reason}. An administrator must look at what holds it.`,
      );
    }
    await rest(pause, call.signal);
    pause = Math.min(pause * 2, POLL);
  }
}

/** The namespace's conditions name the finalizers and objects that keep it. */
async function whatHolds({ client, call }: Work, name: string): Promise<string> {
  try {
    const namespace = await client.read<Project>(NAMESPACE, undefined, name, call.signal);
    const told = (namespace?.status?.conditions ?? [])
      .filter((one) => one.status === 'True' && one.message)
      .map((one) => one.message);
    return told.length === 0 ? '' : `: ${told.join('; ')}`;
  } catch {
    call.signal.throwIfAborted();
    return '';
  }
}
