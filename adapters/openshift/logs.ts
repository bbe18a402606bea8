import { PassThrough, Readable } from 'node:stream';
import type { DeploymentKey, LogOptions } from '../adapter.js';
import type { Pod } from './api-objects.js';
import { needDeployment, subjectOf } from './deployments.js';
import { isCode } from './errors.js';
import { POD, pathOf } from './kinds.js';
import { followPods } from './log-follow.js';
import { type Line, linesOf } from './log-lines.js';
import { CONTAINER } from './manifests.js';
import { podsOf } from './rollout.js';
import type { Work } from './work.js';

export async function logs(work: Work, key: DeploymentKey, options: LogOptions): Promise<Readable> {
  const { namespace } = await needDeployment(work, key);
  const subject = subjectOf(namespace, key);
  const pods = await podsOf(work, subject);
  const recent = await Promise.all(pods.map((pod) => recentLines(work, namespace, pod, options.lines)));
  const lines = recent.flat().sort((a, b) => (a.time < b.time ? -1 : 1));
  const text = (options.lines > 0 ? lines.slice(-options.lines) : []).map((line) => `${line.text}\n`);
  if (!options.follow) return Readable.from(text, { objectMode: false });
  const stream = new PassThrough();
  for (const line of text) stream.write(line);
  const seen = pods.map((pod, index) => [pod.metadata.name, recent[index]?.at(-1)?.time ?? ''] as const);
  followPods(work, subject, new Map(seen), stream);
  return stream;
}

/** Of the container's life, and of the one before it when it ended: there stands why. */
async function recentLines(work: Work, namespace: string, pod: Pod, lines: number): Promise<Line[]> {
  const restarted = (pod.status?.containerStatuses ?? []).some((status) => (status.restartCount ?? 0) > 0);
  const parts = await Promise.all(
    (restarted ? [true, false] : [false]).map((previous) => read(work, namespace, pod, lines, previous)),
  );
  return parts.flat();
}

async function read(
  { client, call }: Work,
  namespace: string,
  pod: Pod,
  lines: number,
  previous: boolean,
): Promise<Line[]> {
  try {
    const query = {
      container: CONTAINER,
      tailLines: Math.max(1, lines),
      timestamps: true,
      previous: previous || undefined,
    };
    return linesOf(await client.text(pathOf(POD, namespace, pod.metadata.name, 'log'), query, call.signal));
  } catch (failure) {
    // Not started yet, or gone already.
    if (isCode(failure, 400, 404)) return [];
    throw failure;
  }
}
