import { randomBytes } from 'node:crypto';
import { makeZip } from '../../contract/archive.js';
import type { FakeCloudFoundry } from '../cloudfoundry.js';
import { compare, GUID, learn } from './compare.js';
import { invent } from './invent.js';

/** One recorded exchange. */
export interface Recorded {
  request: { method: string; host?: string; path: string; headers?: Record<string, string>; body?: unknown };
  response: { status: number; headers?: Record<string, string>; body?: unknown };
  note?: string;
}

/** What must be so on the fake before an exchange that the recording shows without saying how it came about. */
export interface Scene {
  /** Who asks; default `dev`. */
  as?: string;
  before?: (fake: FakeCloudFoundry, replay: Replay, recording: readonly Recorded[]) => void;
  /** Instead of what the recording has redacted, or because it is what it is about. */
  authorization?: (fake: FakeCloudFoundry) => string;
  form?: (fake: FakeCloudFoundry) => Record<string, string>;
  /** Why it is not compared. */
  skip?: string;
}

export interface Replay {
  /** The fake's guid for a recorded one. */
  guid(recorded: string): string;
  know(recorded: string, guid: string): void;
  knows(recorded: string): boolean;
}

export function createReplay(): Replay {
  const guids = new Map<string, string>();
  return {
    guid: (recorded) => guids.get(recorded) ?? recorded,
    // What was learned first stays: two lists may have their members in another order.
    know: (recorded, guid) => void (guids.has(recorded) || guids.set(recorded, guid)),
    knows: (recorded) => guids.has(recorded),
  };
}

/** Plays a recording against a fake whose clock is moved by hand; what differs in status, error or shape, as sentences. */
export async function replay(
  fake: FakeCloudFoundry,
  recording: readonly Recorded[],
  known: Replay,
  scene: (index: number) => Scene,
): Promise<string[]> {
  const differences: string[] = [];
  for (const [index, recorded] of recording.entries()) {
    const at = scene(index);
    const { before, skip } = at;
    before?.(fake, known, recording);
    if (skip !== undefined || recorded.response.status === 0) continue;
    for (const guid of mentioned(recorded.request)) {
      const isGone = recorded.response.status === 404;
      const made = known.knows(guid) || isGone ? undefined : invent(fake, recording, index, guid, known);
      if (made !== undefined) known.know(guid, made);
    }
    const say = (text: string) =>
      differences.push(
        `#${index} ${recorded.request.method} ${recorded.request.path.slice(0, 90)}: ${text} (${recorded.note ?? ''})`,
      );
    const answer = await untilSame(fake, recorded, () => ask(fake, recorded, known, at));
    if (answer.status !== recorded.response.status) {
      say(
        `status ${answer.status} instead of ${recorded.response.status}: ${JSON.stringify(answer.body)?.slice(0, 300)}`,
      );
      continue;
    }
    for (const text of compare(parsed(recorded.response.body), answer.body, '', known)) say(text);
    const [was, is] = [recorded.response.headers?.['location'], answer.headers['location']];
    if ((was === undefined) !== (is === undefined)) say(`location ${is} instead of ${was}`);
    else learn(was, is, known);
  }
  return differences;
}

interface Answered {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** A look at something that changes is repeated, and the clock moved, until it is as it was recorded. */
async function untilSame(
  fake: FakeCloudFoundry,
  { request, response }: Recorded,
  look: () => Promise<Answered>,
): Promise<Answered> {
  const wanted = stateIn(response.body);
  let answer = await look();
  if (request.method !== 'GET') return answer;
  const isSame = () => answer.status === response.status && (wanted === undefined || stateIn(answer.body) === wanted);
  for (let attempts = 0; attempts < 60 && !isSame(); attempts += 1) {
    if (!(await fake.world.clock.advance())) break;
    answer = await look();
  }
  return answer;
}

/** What of a document changes by itself. */
function stateIn(body: unknown): string | undefined {
  const { state, status, last_operation: last, resources } = (body ?? {}) as Partial<Changing>;
  const [first] = resources ?? [];
  if (first?.index !== undefined) return resources?.map((one) => one.state).join();
  if (first?.type === 'web' && first.instances !== undefined) return resources?.map((one) => one.instances).join('+');
  if (first?.last_operation) return stateIn(first);
  if (last) return `${last.state} ${last.description}`;
  return status ? `${status.value} ${status.reason}` : state;
}

interface Changing {
  state: string;
  status: { value: string; reason: string };
  last_operation: { state: string; description: string };
  resources: (Partial<Changing> & { index?: number; type?: string; instances?: number })[];
}

async function ask(
  fake: FakeCloudFoundry,
  { request }: Recorded,
  known: Replay,
  { as = 'dev', authorization, form }: Scene,
): Promise<Answered> {
  const { world, uaa } = fake;
  const { host = '' } = request;
  const base = host.startsWith('uaa')
    ? world.urls.uaa
    : host.startsWith('log-cache')
      ? world.urls.logs
      : world.urls.api;
  const mapped = (text: string) => text.replace(GUID, (guid) => known.guid(guid));
  const headers: Record<string, string> = { ...request.headers };
  if (authorization) headers['authorization'] = authorization(fake);
  else if (headers['authorization'] === 'bearer REDACTED') headers['authorization'] = `bearer ${uaa.tokenOf(as)}`;
  delete headers['user-agent'];
  const body = await bodyOf(form ? { $form: form(fake) } : request.body, headers, mapped);
  const response = await fetch(base + encodeURI(mapped(decodeURI(request.path))).replaceAll('%25', '%'), {
    method: request.method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === '' ? undefined : parsed(text),
  };
}

async function bodyOf(
  body: unknown,
  headers: Record<string, string>,
  mapped: (text: string) => string,
): Promise<string | FormData | undefined> {
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body === 'string') return mapped(body);
  const { $multipart: parts, $form: fields } = body as { $multipart?: Part[]; $form?: Record<string, string> };
  if (fields) return new URLSearchParams(fields).toString();
  if (!parts) {
    headers['content-type'] ??= 'application/json';
    return mapped(JSON.stringify(expanded(body)));
  }
  delete headers['content-type'];
  const form = new FormData();
  for (const part of parts) {
    const [, name = ''] = /name="([^"]*)"/.exec(part.headers['content-disposition'] ?? '') ?? [];
    const bytes = part.base64 === undefined ? await archiveOf(part.bytes ?? 0) : Buffer.from(part.base64, 'base64');
    if (part.body !== undefined) form.set(name, part.body);
    else form.set(name, new Blob([new Uint8Array(bytes)]), 'app.zip');
  }
  return form;
}

interface Part {
  headers: Record<string, string>;
  body?: string;
  base64?: string;
  bytes?: number;
}

/** Of a large upload only the size was recorded. */
function archiveOf(size: number): Promise<Buffer> {
  return makeZip({ 'data.bin': randomBytes(size) });
}

/** The recordings shorten what is long: `{"<k0 to k50>": "v"}`, `"<5001 characters>"`. */
function expanded(value: unknown): unknown {
  if (typeof value === 'string') {
    const length = /^<(\d+) characters>$/.exec(value)?.[1];
    return length === undefined ? value : 'x'.repeat(Number(length));
  }
  if (Array.isArray(value)) return value.map(expanded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, one]) => {
    const last = /^<k0 to k(\d+)>$/.exec(name)?.[1];
    return last === undefined
      ? [[name, expanded(one)]]
      : Array.from({ length: Number(last) + 1 }, (_, at) => [`k${at}`, one]);
  });
  return Object.fromEntries(entries);
}

function mentioned(request: Recorded['request']): string[] {
  return [...`${request.path} ${JSON.stringify(request.body ?? '')}`.matchAll(GUID)].map(([guid]) => guid);
}

function parsed(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
