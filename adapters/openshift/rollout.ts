import { AdapterError } from '../adapter.js';
import type { Deployment, Pod } from './api-objects.js';
import { isQuota } from './errors.js';
import { waitFor } from './follow.js';
import { DEPLOYMENT, POD, pathOf } from './kinds.js';
import { hasTimedOut, isAlive, isReady, type Trouble, troubleOf } from './states.js';
import type { Work } from './work.js';

export interface Subject {
  namespace: string;
  name: string;
  /** Selector of its pods. */
  labels: string;
  /** As sentences call it, e.g. `instance 1`. */
  title: string;
}

const LAST_LINES = 20;
const LAST_CHARACTERS = 2000;

export async function podsOf(
  { client, call }: Work,
  { namespace, labels }: Pick<Subject, 'namespace' | 'labels'>,
): Promise<Pod[]> {
  const { items } = await client.list<Pod>(POD, { namespace, labels }, call.signal);
  return items;
}

/** Waits until every wanted process is ready and none of an older version is left. Throws `failed`, `quota` or `timeout` with the reason. */
export async function untilReady(work: Work, subject: Subject): Promise<Deployment> {
  const { client, settings, call } = work;
  let last: Trouble | undefined;
  let stubbornSince: number | undefined;
  return await waitFor<Deployment, Deployment>(
    client,
    DEPLOYMENT,
    { namespace: subject.namespace, name: subject.name },
    async ([deployment]) => {
      if (deployment === undefined) throw new AdapterError('not-found', `The Deployment of ${subject.title} is gone.`);
      const wanted = deployment.spec.replicas ?? 1;
      const available = deployment.status?.availableReplicas ?? 0;
      call.step('rollout', {
        progress: Math.min(100, Math.round((100 * available) / Math.max(1, wanted))),
        text: `${available} of ${wanted} ready`,
      });
      if (isReady(deployment)) return deployment;
      last = troubleOf(deployment, await podsOf(work, subject));
      stubbornSince = last?.stubborn ? (stubbornSince ?? Date.now()) : undefined;
      const stuck = stubbornSince !== undefined && Date.now() - stubbornSince > settings.rolloutTimeout / 10;
      if (last?.final || stuck || hasTimedOut(deployment)) throw await explain(work, subject, last);
      return undefined;
    },
    {
      limit: settings.rolloutTimeout,
      signal: call.signal,
      what: async () => {
        throw await explain(work, subject, last);
      },
    },
  );
}

/** Waits until no process is left. */
export async function untilStopped(work: Work, subject: Subject): Promise<void> {
  const { client, settings, call } = work;
  await waitFor<Pod, true>(
    client,
    POD,
    { namespace: subject.namespace, labels: subject.labels },
    (pods) => (pods.every((pod) => !isAlive(pod)) ? true : undefined),
    { limit: settings.deleteTimeout, signal: call.signal, what: () => `Processes of ${subject.title} do not end` },
  );
}

async function explain(work: Work, subject: Subject, trouble: Trouble | undefined): Promise<AdapterError> {
  if (trouble === undefined) {
    const seconds = Math.round(work.settings.rolloutTimeout / 1000);
    return new AdapterError(
      'timeout',
      `The processes of ${subject.title} were not ready within ${seconds} s. Does the application listen on port 8080?`,
    );
  }
  const lines = trouble.log ? await lastLines(work, subject.namespace, trouble.log) : '';
  const kind = isQuota(trouble.text) ? 'quota' : 'failed';
  return new AdapterError(
    kind,
    `The processes of ${subject.title} do not run. ${trouble.text}${lines === '' ? '' : `\n${lines}`}`,
  );
}

/** The end of what the process wrote before it ended; empty when the cluster has nothing any more. */
async function lastLines({ client, call }: Work, namespace: string, log: NonNullable<Trouble['log']>): Promise<string> {
  for (const previous of log.previous ? [true, false] : [false]) {
    try {
      const query = { container: log.container, tailLines: LAST_LINES, previous: previous || undefined };
      const text = (await client.text(pathOf(POD, namespace, log.pod, 'log'), query, call.signal)).trimEnd();
      if (text !== '') return text.slice(-LAST_CHARACTERS);
    } catch {
      call.signal.throwIfAborted();
    }
  }
  return '';
}
