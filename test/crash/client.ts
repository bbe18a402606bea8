import { setTimeout as wait } from 'node:timers/promises';
import { type AppBelief, compareApp, compareEnv, type EnvBelief } from './belief.js';
import type { History } from './history.js';
import type { Random } from './random.js';
import type { Json, Outcome, Speaker } from './speaker.js';

/** A person or a script with objects of its own, which nobody else changes: so it knows what has to be there. */
export interface Client {
  name: string;
  user: string;
  speaker: Speaker;
  random: Random;
  history: History;
  count(what: string): void;
  /** Names of platforms on which it may make environments. */
  platforms: readonly string[];
  apps: AppBelief[];
  envs: EnvBelief[];
  /** What was deleted for good: paths, with their objects' names. */
  gone: { path: string; name: string }[];
  /** Tasks that were acknowledged. */
  tasks: Set<number>;
  /** For names. */
  number: number;
  largestArtefact: number;
  /** Longest pause between two actions, in milliseconds. */
  pause: number;
}

export const XML = { 'Content-Type': 'application/xml' };

export function nameOf(client: Client, kind: string): string {
  client.number += 1;
  return `${client.name}-${kind}-${client.number}`;
}

/** What an action came to. `refused`: nothing was done. */
export type Result = { kind: 'done'; body: Json } | { kind: 'maybe' } | { kind: 'refused' };

/**
 * Sends a durable action, waits for its end in one of the ways that there are, and repeats it now and then when the answer was lost: an
 * equal request joins the first one, or finds its work done.
 */
export async function perform(
  client: Client,
  subject: string,
  method: string,
  path: string,
  more: { body?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<Result> {
  const { random, speaker } = client;
  const prefer = random.weighted({ none: 5, 'respond-async': 3, 'wait=1': 1 });
  const headers = { ...(prefer !== 'none' && { Prefer: prefer }), ...more.headers };
  const request = { ...(more.body !== undefined && { body: more.body }), headers };
  // Two at once are one.
  const twice = more.body === undefined && random.chance(0.1);
  const [outcome, second] = await Promise.all([
    speaker.send(subject, method, path, request),
    twice ? speaker.send(subject, method, path, request) : undefined,
  ]);
  const result = await settled(client, subject, outcome);
  const other = second && (await settled(client, subject, second));
  if (other && other.kind !== result.kind) return merged(method, result, other);
  if (result.kind === 'done') client.count('acknowledged');
  else client.count(result.kind);
  return result;
}

/** One of two equal requests has deleted it, and the other one came too late. */
function merged(method: string, ...results: [Result, Result]): Result {
  const done = results.find(({ kind }) => kind === 'done');
  return method === 'DELETE' && done && results.some(({ kind }) => kind === 'refused') ? done : { kind: 'maybe' };
}

async function settled(client: Client, subject: string, outcome: Outcome): Promise<Result> {
  const { speaker, history, tasks } = client;
  if (outcome.kind === 'unknown') return { kind: 'maybe' };
  if (outcome.kind === 'refused') return outcome.sure ? { kind: 'refused' } : { kind: 'maybe' };
  if (outcome.status !== 202) return { kind: 'done', body: outcome.body };
  const taskId = Number(/\/task\/(\d+)$/.exec(outcome.location ?? '')?.[1]);
  tasks.add(taskId);
  const task = await speaker.ended(subject, taskId);
  if (!task) history.violation(subject, `task ${taskId} was acknowledged and is gone`);
  else history.tell(subject, `task ${taskId} ${task.status} ${task.error ?? ''}`);
  return task?.status === 'SUCCEEDED' ? { kind: 'done', body: {} } : { kind: 'maybe' };
}

/** Holds the stored application against what is believed. False: it is gone, as it may be. `quiet`: nothing of this user's runs. */
export async function lookAtApp(client: Client, app: AppBelief, quiet: boolean): Promise<Json | undefined> {
  const { speaker, history, apps, gone } = client;
  if (quiet) await speaker.quiet(app.name);
  const document = await speaker.read(app.name, `/app/${app.appId}`);
  if (document) {
    for (const wrong of compareApp(app, document)) history.violation(app.name, wrong);
    return document;
  }
  if (!app.mayBeGone) history.violation(app.name, `application ${app.appId} is gone`);
  apps.splice(apps.indexOf(app), 1);
  gone.push({ path: `/app/${app.appId}`, name: app.name });
  return undefined;
}

export async function lookAtEnv(client: Client, env: EnvBelief, quiet: boolean): Promise<Json | undefined> {
  const { speaker, history, envs, gone } = client;
  if (quiet) await speaker.quiet(env.name);
  const document = await speaker.read(env.name, `/environment/${env.envId}`);
  if (document) {
    for (const wrong of compareEnv(env, document)) history.violation(env.name, wrong);
    return document;
  }
  if (!env.mayBeGone) history.violation(env.name, `environment ${env.envId} is gone`);
  envs.splice(envs.indexOf(env), 1);
  gone.push({ path: `/environment/${env.envId}`, name: env.name });
  return undefined;
}

/** The id of what was to be made under this name, when the answer was lost: names are unique here. */
export async function findByName(
  client: Client,
  name: string,
  path: string,
  list: string,
): Promise<number | undefined> {
  const { speaker, history } = client;
  await speaker.quiet(name);
  const answer = (await speaker.read(name, `${path}?name=${encodeURIComponent(name)}`)) as Record<
    string,
    { id: number }[]
  >;
  const found = answer[list] ?? [];
  if (found.length > 1) history.violation(name, `there are ${found.length} of this name, and it was made once`);
  return found[0]?.id;
}

/** A person's pause. */
export function breathe({ random, pause }: Client, signal: AbortSignal): Promise<void> {
  return wait(random.whole(0, pause), undefined, { signal }).catch(() => undefined);
}
