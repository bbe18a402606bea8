import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdapterError, type ArtefactSource, type OnCall } from '../adapter.js';
import type { ApiObject, Manifest } from './api-objects.js';
import type { Connection } from './connection.js';
import { ApiFailure, isCode, isPassing, type Status } from './errors.js';
import { type Sent, sendTold, textOf } from './http.js';
import { type Kind, pathOf } from './kinds.js';

/** Our name as owner of fields. Never change it: fields that were set under another name would stay for ever. */
export const FIELD_MANAGER = 'coaps-gateway';

export type Query = Record<string, string | number | boolean | undefined>;

export interface Selection {
  namespace?: string;
  labels?: string;
  /** Name of the only object that is wanted. */
  name?: string;
}

export interface Listed<T> {
  items: T[];
  resourceVersion: string;
}

/** The API server, as the adapter needs it. Failures are ApiFailure or Unreachable; passing ones of repeatable requests were repeated. */
export interface Client {
  /** Undefined: 404. */
  read<T>(kind: Kind, namespace: string | undefined, name: string, signal: AbortSignal): Promise<T | undefined>;
  list<T>(kind: Kind, selection: Selection, signal: AbortSignal): Promise<Listed<T>>;
  /** POST. Repeated only where a second one has no effect: a name that is taken answers 409. */
  create<T>(kind: Kind, namespace: string | undefined, body: object, signal: AbortSignal): Promise<T>;
  /** Server-side apply of an object that is known to be ours: fields that others changed are taken back. */
  apply<T>(kind: Kind, manifest: Manifest, signal: AbortSignal): Promise<T>;
  /** JSON merge patch. */
  patch<T>(kind: Kind, namespace: string, name: string, changes: object, signal: AbortSignal): Promise<T>;
  /** Asks for the deletion of just this object. False: it was gone. */
  remove(
    kind: Kind,
    object: ApiObject,
    propagation: 'Foreground' | 'Background',
    signal: AbortSignal,
  ): Promise<boolean>;
  /** The beginning answer of a watch or a log: a stream that the caller ends. Not repeated. */
  stream(path: string, query: Query, signal: AbortSignal): Promise<IncomingMessage>;
  text(path: string, query: Query, signal: AbortSignal): Promise<string>;
  /** POST of an artefact's bytes, once. */
  upload<T>(path: string, query: Query, artefact: ArtefactSource, patience: number, signal: AbortSignal): Promise<T>;
  close(): void;
}

export interface ClientTimes {
  /** Milliseconds. */
  requestTimeout: number;
  /** First pause before a repetition; doubled each time. */
  firstPause?: number;
  onCall?: OnCall;
}

const ATTEMPTS = 5;
/** A server that wants a longer pause is told to our own caller. */
const LONGEST_PAUSE = 20_000;
const PAGE = 500;

export function createClient(connection: Connection, times: ClientTimes): Client {
  const told = (sent: Sent) => sendTold(connection, sent, times.onCall);
  const once = async (sent: Omit<Sent, 'timeout'> & { timeout?: number }): Promise<IncomingMessage> => {
    const full: Sent = { timeout: times.requestTimeout, ...sent };
    const answer = await told(full);
    const code = answer.statusCode ?? 0;
    if (code >= 200 && code < 300) return answer;
    const failure = await refusal(answer, full);
    if (code === 401 && (await connection.renew())) return accepted(await told(full), full);
    throw failure;
  };

  /** Reading the answer belongs to the attempt: it may be cut, too. */
  const repeatedly = async (sent: Omit<Sent, 'timeout'>): Promise<string> => {
    let pause = times.firstPause ?? 250;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await textOf(await once(sent), sent.signal, times.requestTimeout);
      } catch (failure) {
        sent.signal.throwIfAborted();
        if (!isPassing(failure) || attempt === ATTEMPTS) throw failure;
        const asked = failure instanceof ApiFailure ? (failure.retryAfter ?? 0) * 1000 : 0;
        if (asked > LONGEST_PAUSE) throw failure;
        await rest(Math.max(asked, pause * (0.75 + Math.random() / 2)), sent.signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    }
  };
  const json = async <T>(sent: Omit<Sent, 'timeout'>): Promise<T> => parse<T>(await repeatedly(sent));

  return {
    async read<T>(kind: Kind, namespace: string | undefined, name: string, signal: AbortSignal) {
      try {
        return await json<T>({ method: 'GET', path: pathOf(kind, namespace, name), signal });
      } catch (failure) {
        if (isCode(failure, 404)) return undefined;
        throw failure;
      }
    },
    async list<T>(kind: Kind, selection: Selection, signal: AbortSignal) {
      const items: T[] = [];
      let next: string | undefined;
      for (;;) {
        const query = { ...selectors(selection), limit: PAGE, continue: next };
        const path = withQuery(pathOf(kind, selection.namespace), query);
        try {
          const page = await json<{ metadata?: { resourceVersion?: string; continue?: string }; items?: T[] }>({
            method: 'GET',
            path,
            signal,
          });
          items.push(...(page.items ?? []));
          next = page.metadata?.continue || undefined;
          if (next === undefined) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
        } catch (failure) {
          // The pages that follow were compacted away: begin again.
          if (!isCode(failure, 410) || next === undefined) throw failure;
          items.length = 0;
          next = undefined;
        }
      }
    },
    create: (kind, namespace, body, signal) =>
      json({ method: 'POST', path: withQuery(pathOf(kind, namespace), STRICT), body: JSON.stringify(body), signal }),
    apply: (kind, manifest, signal) =>
      json({
        method: 'PATCH',
        path: withQuery(pathOf(kind, manifest.metadata.namespace, manifest.metadata.name), { ...STRICT, force: true }),
        headers: { 'content-type': 'application/apply-patch+yaml' },
        body: JSON.stringify(manifest),
        signal,
      }),
    patch: (kind, namespace, name, changes, signal) =>
      json({
        method: 'PATCH',
        path: withQuery(pathOf(kind, namespace, name), STRICT),
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify(changes),
        signal,
      }),
    async remove(kind, object, propagationPolicy, signal) {
      const { name, namespace, uid } = object.metadata;
      const options = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy,
        ...(uid ? { preconditions: { uid } } : {}),
      };
      try {
        await json({ method: 'DELETE', path: pathOf(kind, namespace, name), body: JSON.stringify(options), signal });
        return true;
      } catch (failure) {
        // 409: another object has the name by now, so this one is gone.
        if (isCode(failure, 404, 409)) return false;
        throw failure;
      }
    },
    stream: (path, query, signal) =>
      once({ method: 'GET', path: withQuery(path, query), headers: { accept: '*/*' }, signal }),
    text: (path, query, signal) =>
      repeatedly({ method: 'GET', path: withQuery(path, query), headers: { accept: '*/*' }, signal }),
    async upload<T>(path: string, query: Query, artefact: ArtefactSource, patience: number, signal: AbortSignal) {
      const body = { open: () => artefact.open(), size: artefact.size, type: 'application/octet-stream' };
      const answer = await once({ method: 'POST', path: withQuery(path, query), body, timeout: patience, signal });
      return parse<T>(await textOf(answer, signal, times.requestTimeout));
    },
    close: () => connection.close(),
  };

  async function accepted(answer: IncomingMessage, sent: Sent): Promise<IncomingMessage> {
    const code = answer.statusCode ?? 0;
    if (code >= 200 && code < 300) return answer;
    throw await refusal(answer, sent);
  }

  async function refusal(answer: IncomingMessage, sent: Sent): Promise<ApiFailure> {
    const text = await textOf(answer, sent.signal, times.requestTimeout);
    const seconds = Number(answer.headers['retry-after']);
    return new ApiFailure(
      answer.statusCode ?? 0,
      statusOf(text),
      Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
    );
  }
}

const STRICT: Query = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' };

function selectors(selection: Selection): Query {
  return {
    labelSelector: selection.labels,
    fieldSelector: selection.name === undefined ? undefined : `metadata.name=${selection.name}`,
  };
}

export function watchQuery(selection: Selection, resourceVersion: string, timeoutSeconds: number): Query {
  return { ...selectors(selection), watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds };
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given as [string, string][])}`;
}

/** A refusal is a Status; proxies in between and unknown groups answer in their own words. */
function statusOf(text: string): Partial<Status> {
  try {
    const body = JSON.parse(text) as Partial<Status>;
    if (body?.kind === 'Status') return body;
  } catch {
    // not JSON: the text below
  }
  const plain = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain === '' ? {} : { message: plain.slice(0, 300) };
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new AdapterError(
      'unavailable',
      'OpenShift sent an answer that is no JSON. Is the server URL that of the API?',
      { cause: error },
    );
  }
}

/** Waits, or rejects with the signal's reason. */
export async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
