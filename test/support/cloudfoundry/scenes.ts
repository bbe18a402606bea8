import type { Recorded, Scene } from './replay.js';
import { SCENES } from './session.js';

/** The recordings in the order in which they were made; those of one line overlap in time. */
export const SESSION: string[][] = [
  ['root-info-token'],
  ['lookups'],
  ['staging-failures'],
  ['app-push'],
  ['instances'],
  ['start-after-new-package'],
  ['routes'],
  ['rate-limit'],
  ['service-user-provided'],
  ['service-managed'],
  ['deployments'],
  ['labels'],
  ['errors'],
  ['delete'],
  ['cf-cli-push', 'cf-cli-push-again', 'cf-cli-commands'],
  ['upload-trouble'],
];

type Timed = Recorded & { at_ms?: number };

/** Several recordings as one: each is put into time by an answer of the token server, which tells the hour. */
export function inOrder(recordings: readonly Recorded[][]): Recorded[] {
  const timed = recordings.flatMap((recording) => {
    const anchor = recording.find(({ response }) => stampIn(response.body) !== undefined) as Timed | undefined;
    const start = (stampIn(anchor?.response.body) ?? 0) - (anchor?.at_ms ?? 0);
    return recording.map((one, index) => ({ one, index, at: start + ((one as Timed).at_ms ?? 0) }));
  });
  if (recordings.length === 1) return recordings[0] ?? [];
  return timed.sort((a, b) => a.at - b.at).map(({ one }) => one);
}

function stampIn(body: unknown): number | undefined {
  const { timestamp } = (body ?? {}) as { timestamp?: unknown };
  return typeof timestamp === 'string' ? Date.parse(timestamp) : undefined;
}

/** What the recordings do not show: who asked, and what was switched before. Taken from their notes. */
export function sceneOf(name: string, recording: readonly Recorded[]): (index: number) => Scene {
  const own = SCENES[name] ?? {};
  return (index) => ({
    as: actorOf(recording[index]?.note ?? ''),
    ...staging(recording, index),
    ...crashing(recording[index]),
    ...own[index],
  });
}

function actorOf(note: string): string {
  if (/^(as )?(an )?audit/.test(note)) return 'auditor';
  if (/no role: |without a role|stranger/.test(note)) return 'stranger';
  return /^(as )?admin|administrator is not/.test(note) ? 'admin' : 'dev';
}

function crashing(recorded: Recorded | undefined): Scene {
  if (!recorded?.request.path.endsWith('/actions/restart') || !recorded.note?.includes('instances crash')) return {};
  return {
    before: ({ world }) => {
      world.cells.instances = 'crash';
    },
  };
}

/** A build fails on the fake as it was recorded to fail. */
function staging(recording: readonly Recorded[], index: number): Scene {
  const { request, response } = recording[index] ?? {};
  if (request?.method !== 'POST' || request.path !== '/v3/builds' || response?.status !== 201) return {};
  const { guid } = response.body as { guid: string };
  const ends = recording.map(
    (one) => one.response.body as { guid?: string; state?: string; error?: string } | undefined,
  );
  const failed = ends.find((body) => body?.guid === guid && body.state === 'FAILED')?.error;
  return {
    before: ({ world }) => {
      if (failed === undefined) delete world.cells.staging;
      else world.cells.staging = failed;
    },
  };
}
