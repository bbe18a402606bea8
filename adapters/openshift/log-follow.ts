import { once } from 'node:events';
import type { PassThrough } from 'node:stream';
import type { Pod } from './api-objects.js';
import { rest } from './client.js';
import { isCode } from './errors.js';
import { waitFor } from './follow.js';
import { POD, pathOf } from './kinds.js';
import { readLines } from './lines.js';
import { lineOf } from './log-lines.js';
import { CONTAINER } from './manifests.js';
import type { Subject } from './rollout.js';
import { isAlive } from './states.js';
import type { Work } from './work.js';

const AGAIN = 1000;
/** Milliseconds: as long as a timer can be. The signal ends it. */
const FOREVER = 2 ** 31 - 1;

/**
 * Writes what the pods write from now on, also those that come later, until the signal aborts or the reader goes away. `seen` has the time
 * of the last line that each pod had; a stream that ends with its container is opened again from there.
 */
export function followPods(work: Work, subject: Subject, seen: ReadonlyMap<string, string>, output: PassThrough): void {
  const end = new AbortController();
  const signal = AbortSignal.any([work.call.signal, end.signal]);
  const own: Work = { ...work, call: { ...work.call, signal } };
  const followed = new Map<string, Promise<void>>();
  const finish = () => {
    end.abort();
    output.end();
  };
  output.once('close', finish);
  signal.addEventListener('abort', finish, { once: true });

  const watching = waitFor<Pod, never>(
    work.client,
    POD,
    { namespace: subject.namespace, labels: subject.labels },
    (pods) => {
      for (const pod of pods.filter(isAlive)) {
        const { name } = pod.metadata;
        if (followed.has(name)) continue;
        const follower = followPod(own, subject.namespace, name, seen.get(name) ?? '', output);
        followed.set(
          name,
          follower.catch((failure: unknown) => {
            if (!signal.aborted)
              work.log.warn({ pod: name, error: String(failure) }, 'the log of a pod cannot be followed any more');
          }),
        );
      }
      return undefined;
    },
    { limit: FOREVER, signal, what: () => 'the log was followed long enough' },
  );
  watching.catch((failure: unknown) => {
    if (signal.aborted) return;
    output.destroy(failure instanceof Error ? failure : new Error(String(failure)));
  });
}

async function followPod(
  work: Work,
  namespace: string,
  pod: string,
  since: string,
  output: PassThrough,
): Promise<void> {
  const { client, call } = work;
  let last = since;
  for (;;) {
    const query = { container: CONTAINER, follow: true, timestamps: true, sinceTime: last === '' ? undefined : last };
    try {
      const answer = await client.stream(pathOf(POD, namespace, pod, 'log'), query, call.signal);
      for await (const raw of readLines(answer)) {
        const line = lineOf(raw);
        // The time to begin at is taken by the second.
        if (line.time <= last) continue;
        last = line.time;
        if (!output.write(`${line.text}\n`)) await once(output, 'drain', { signal: call.signal });
      }
    } catch (failure) {
      call.signal.throwIfAborted();
      if (isCode(failure, 404)) return;
      // 400: its container has not started yet.
      if (isCode(failure, 401, 403)) throw failure;
    }
    await rest(AGAIN, call.signal);
  }
}
