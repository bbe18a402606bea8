import { setTimeout as pause } from 'node:timers/promises';
import type { FakeOpenShift } from '../openshift.js';
import { differences, inOrder } from './compare.js';
import { isJson, type Json, type Obj } from './objects.js';
import { parsePath } from './request.js';
import { bodyOf, send } from './send.js';

export interface Recorded {
  request: { method: string; path: string; headers: Record<string, string>; body: unknown };
  response: { status: number; headers: Record<string, string>; body: unknown };
  note?: string;
  at_ms: number;
  took_ms: number;
}

/** How a recording is played: what was there before, who asked, and what happened between that nobody recorded. */
export interface Scene {
  /** Milliseconds of a second of the cluster. */
  second: number;
  bare?: boolean;
  prepare?(stage: Stage): Promise<void>;
  /** By number of the entry; alice without. */
  users?: Readonly<Record<number, string>>;
  /** Runs before the entry is sent. */
  before?: Readonly<Record<number, (stage: Stage) => Promise<void> | void>>;
  /** Runs while the entry is under way, the given number of cluster seconds after its begin. */
  during?: Readonly<Record<number, (stage: Stage) => Promise<void> | void>>;
  /** Why an entry cannot be played. */
  skip?: Readonly<Record<number, string>>;
  /** Differences that are meant, as parts of their text. */
  allow?: Readonly<Record<number, readonly string[]>>;
}

export interface Stage {
  fake: FakeOpenShift;
  /** A request as somebody's. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    options?: { user?: string; type?: string },
  ): Promise<{ status: number; body: Json }>;
  /** Names of the recording and what they are here. */
  names: Map<string, string>;
  entries: readonly Recorded[];
  /** So many seconds of the cluster. */
  wait(seconds: number): Promise<void>;
  until(what: string, holds: () => boolean): Promise<void>;
}

const PATIENCE = 10_000;

export function stageOf(fake: FakeOpenShift, entries: readonly Recorded[]): Stage {
  const names = new Map<string, string>();
  return {
    fake,
    names,
    entries,
    async ask(method, path, body, { user = 'alice', type = 'application/json' } = {}) {
      const headers = { 'content-type': type, authorization: `Bearer ${fake.token(user)}` };
      const answer = await send(fake, {
        method,
        path,
        headers,
        text: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: answer.status, body: answer.body as Json };
    },
    wait: (seconds) => pause(seconds * fake.world.settings.second),
    async until(what, holds) {
      const end = Date.now() + PATIENCE;
      while (!holds()) {
        if (Date.now() > end) throw new Error(`never came: ${what}`);
        await pause(2);
      }
    },
  };
}

interface Played {
  index: number;
  title: string;
  faults: string[];
}

/** Plays the entries in the order in which they began; what a real server took long for runs beside what follows. */
export async function play(scene: Scene, stage: Stage): Promise<Played[]> {
  const { entries } = stage;
  await scene.prepare?.(stage);
  const played: Promise<Played>[] = [];
  const order = entries
    .map((entry, index) => ({ entry, index }))
    .sort((a, b) => a.entry.at_ms - b.entry.at_ms || a.index - b.index);
  let mark = stage.fake.world.cluster.version;
  const clock = createClock(stage.fake.world.settings.second / 1000);
  for (const { entry, index } of order) {
    await clock.reach(entry.at_ms);
    if (scene.skip?.[index] !== undefined) continue;
    await scene.before?.[index]?.(stage);
    const title = `#${index} ${entry.request.method} ${entry.request.path.slice(0, 90)}: ${entry.note ?? ''}`;
    const allowed = scene.allow?.[index] ?? [];
    if (entry.request.method !== 'GET') mark = stage.fake.world.cluster.version;
    const allows = (fault: string): boolean => allowed.some((part) => fault.includes(part));
    const run = playOne(entry, scene.users?.[index], stage, mark, allows).then((faults) => ({ index, title, faults }));
    played.push(run);
    const during = scene.during?.[index];
    if (during) await during(stage);
    const overlaps = order.some(
      ({ entry: other }) => other.at_ms > entry.at_ms && other.at_ms < entry.at_ms + entry.took_ms - 20,
    );
    if (overlaps && entry.took_ms > 1500) continue;
    await run;
    clock.set(entry.at_ms + entry.took_ms);
  }
  return await Promise.all(played);
}

/** The recording's own time, as fast as the cluster's. When we are late, everything that follows is. */
function createClock(scale: number) {
  let base: number | undefined;
  return {
    async reach(time: number): Promise<void> {
      base ??= Date.now() - time * scale;
      const left = base + time * scale - Date.now();
      if (left > 0) await pause(left);
      else base -= left;
    },
    /** Now it is this late in the recording. */
    set(time: number): void {
      base = Date.now() - time * scale;
    },
  };
}

/**
 * Reads are repeated until they show what was recorded, or until the fake has gone through it: the recording's own clock is not ours, and
 * what was seen there in passing may have passed here already.
 */
async function playOne(
  entry: Recorded,
  user: string | undefined,
  stage: Stage,
  mark: number,
  allows: (fault: string) => boolean,
): Promise<string[]> {
  const isRead = entry.request.method === 'GET' && !/watch=true|follow=true/.test(entry.request.path);
  const end = Date.now() + (isRead ? PATIENCE : 0);
  for (;;) {
    const faults = (await attempt(entry, user, stage)).filter((fault) => !allows(fault));
    if (faults.length === 0 || (isRead && wasSeen(entry, stage, mark, allows))) return [];
    if (Date.now() >= end) return faults;
    await pause(5);
  }
}

/** Whether each recorded object was there, just so, at some time since the last write of the recording. */
function wasSeen(
  { request: { path }, response: { body } }: Recorded,
  { fake, names }: Stage,
  mark: number,
  allows: (fault: string) => boolean,
): boolean {
  const parsed = parsePath(path.split('?')[0] ?? '');
  if (!isJson(body) || !parsed || parsed.subresource !== undefined) return false;
  const { cluster } = fake.world;
  const seen = new Map<string, Obj[]>();
  for (const { object, type, version } of cluster.since(0, parsed.plural)) {
    if (type === 'DELETED' || object.metadata.namespace !== parsed.namespace) continue;
    const { name } = object.metadata;
    seen.set(name, version <= mark ? [object] : [...(seen.get(name) ?? []), object]);
  }
  const wanted = Array.isArray(body['items']) ? (body['items'] as Json[]) : [body];
  return (
    wanted.length > 0 &&
    wanted.every((one) => {
      const { name } = one['metadata'] as { name: string };
      const found = [...seen].find(([here, versions]) => {
        const known =
          names.get(name) ?? (parsed.plural === 'pods' || parsed.plural === 'replicasets' ? undefined : name);
        return (
          (known === undefined || known === here) &&
          versions.some((version) => differences(one, shownIn(version, body)).every(allows))
        );
      });
      if (found) names.set(name, found[0]);
      return found !== undefined;
    })
  );
}

/** Members of a list do not say their kind. */
function shownIn(object: Obj, body: Json): Json {
  if (!Array.isArray(body['items'])) return object;
  const { kind: _, apiVersion: __, ...rest } = object;
  return rest;
}

async function attempt(
  { request: sent, response, took_ms: took }: Recorded,
  user: string | undefined,
  stage: Stage,
): Promise<string[]> {
  const { fake, names } = stage;
  const rename = (text: string): string => [...names].reduce((done, [old, fresh]) => done.replaceAll(old, fresh), text);
  const headers: Record<string, string> = { ...sent.headers };
  delete headers['content-length'];
  const anonymous = headers['authorization'] === undefined && user === undefined;
  if (anonymous) delete headers['authorization'];
  else
    headers['authorization'] =
      user === 'nobody'
        ? 'Bearer sha256~unknown'
        : user?.startsWith('Basic ')
          ? user
          : `Bearer ${fake.token(user ?? 'alice')}`;
  const hold = headers['transfer-encoding'] === 'chunked' ? took * (fake.world.settings.second / 1000) : 0;
  delete headers['transfer-encoding'];
  const body = bodyOf(sent.body);
  const text = typeof body === 'string' ? rename(body) : body;
  const cut = response.status === 0;
  const answer = await send(fake, { method: sent.method, path: rename(sent.path), headers, text, hold, cut });
  if (cut) return [];
  const faults =
    answer.status === response.status
      ? []
      : [`status ${response.status} recorded, ${answer.status} here: ${JSON.stringify(answer.body).slice(0, 300)}`];
  for (const name of ['retry-after', 'www-authenticate', 'content-type']) {
    const [was, is] = [response.headers[name], answer.headers[name]];
    if (was !== undefined && was !== is) faults.push(`header ${name}: ${was} recorded, ${is} here`);
  }
  const recorded = typeof response.body === 'string' ? rename(response.body) : response.body;
  learn(recorded, answer.body, names);
  return [...faults, ...compareBodies(recorded, answer.body)];
}

/** Tokens that the server gives and wants back, and names that it generates. */
function learn(recorded: unknown, actual: unknown, names: Map<string, string>): void {
  const token = (value: unknown): unknown =>
    isJson(value) && isJson(value['metadata']) ? value['metadata']['continue'] : undefined;
  const [was, is] = [token(recorded), token(actual)];
  if (typeof was === 'string' && typeof is === 'string') names.set(was, is);
  const pods = (value: unknown): unknown[] =>
    isJson(value) && value['kind'] === 'PodList' ? inOrder(value['items'] as unknown[]) : [];
  pods(recorded).forEach((pod, index) => {
    const nameOf = (one: unknown): string | undefined =>
      (one as { metadata?: { name: string } } | undefined)?.metadata?.name;
    const [old, fresh] = [nameOf(pod), nameOf(pods(actual)[index])];
    if (old !== undefined && fresh !== undefined) names.set(old, fresh);
  });
}

function compareBodies(recorded: unknown, given: unknown): string[] {
  // A watch that is refused is answered by one Status.
  const actual = Array.isArray(given) && !Array.isArray(recorded) ? given[0] : given;
  if (typeof recorded === 'string' && typeof actual === 'string') {
    const lines = (text: string) =>
      text
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z /g, 'TIME ')
        .replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')
        .replace(/received \d+ bytes/, 'received N bytes')
        .trimEnd();
    return lines(recorded) === lines(actual)
      ? []
      : [`text ${JSON.stringify(recorded)} recorded, ${JSON.stringify(actual)} here`];
  }
  return differences(recorded, actual);
}
