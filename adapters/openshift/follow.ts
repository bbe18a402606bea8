import type { IncomingMessage } from 'node:http';
import { AdapterError } from '../adapter.js';
import type { ApiObject } from './api-objects.js';
import { type Client, rest, type Selection, watchQuery } from './client.js';
import { isCode, isPassing, type Status } from './errors.js';
import { type Kind, pathOf } from './kinds.js';
import { readLines } from './lines.js';

export interface Wait {
  /** Milliseconds. */
  limit: number;
  signal: AbortSignal;
  /** What was waited for, told when the limit is reached; may look for a reason. */
  what(): string | Promise<string>;
  /** Milliseconds after which `judge` looks again though nothing changed. */
  tick?: number;
}

interface View<T> {
  readonly items: Map<string, T>;
  /** Counts changes; resolves when it is above the given number. */
  version(): number;
  beyond(version: number): Promise<void>;
  /** Rejects when the view cannot be kept. */
  readonly running: Promise<void>;
}

const TICK = 2000;
/** Short, so that a connection that died without a word does not hide changes for long. */
const WATCH_SECONDS = 60;
const GRACE_SECONDS = 15;
const POLL = 1000;
const AGAIN = 50;

/**
 * Keeps a view of the selected objects by list and watch, and asks `judge` after each change until it says something. A watch that is cut
 * goes on where it was; one whose version is too old (410) lists again.
 */
export async function waitFor<T extends ApiObject, R>(
  client: Client,
  kind: Kind,
  selection: Selection,
  judge: (items: T[]) => R | undefined | Promise<R | undefined>,
  wait: Wait,
): Promise<R> {
  const end = new AbortController();
  const limit = AbortSignal.timeout(wait.limit);
  const signal = AbortSignal.any([wait.signal, end.signal, limit]);
  try {
    const view = keepView<T>(client, kind, selection, signal);
    for (;;) {
      await Promise.race([view.beyond(0), view.running]);
      const seen = view.version();
      const verdict = await judge([...view.items.values()]);
      if (verdict !== undefined) return verdict;
      await Promise.race([view.beyond(seen), view.running, rest(wait.tick ?? TICK, signal)]);
    }
  } catch (error) {
    wait.signal.throwIfAborted();
    if (!limit.aborted || error instanceof AdapterError) throw error;
    throw new AdapterError('timeout', `${await wait.what()} (waited ${Math.round(wait.limit / 1000)} s)`);
  } finally {
    end.abort();
  }
}

function keepView<T extends ApiObject>(client: Client, kind: Kind, selection: Selection, signal: AbortSignal): View<T> {
  const items = new Map<string, T>();
  let version = 0;
  let wake: () => void = () => undefined;
  let changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const change = () => {
    version += 1;
    wake();
    changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const running = pump(client, kind, selection, items, change, signal);
  // Whoever waits sees the failure; when nobody does, it is the end of the wait.
  running.catch(() => undefined);
  return {
    items,
    version: () => version,
    beyond: async (seen) => {
      while (version <= seen) await changed;
    },
    running,
  };
}

async function pump<T extends ApiObject>(
  client: Client,
  kind: Kind,
  selection: Selection,
  items: Map<string, T>,
  change: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const listed = await client.list<T>(kind, selection, signal);
    items.clear();
    for (const item of listed.items) items.set(item.metadata.uid ?? item.metadata.name, item);
    change();
    await watchFrom(client, kind, selection, listed.resourceVersion, items, change, signal);
    await rest(AGAIN, signal);
  }
}

/** Returns when the view has to be listed again. */
async function watchFrom<T extends ApiObject>(
  client: Client,
  kind: Kind,
  selection: Selection,
  resourceVersion: string,
  items: Map<string, T>,
  change: () => void,
  signal: AbortSignal,
): Promise<void> {
  let from = resourceVersion;
  let fruitless = 0;
  for (;;) {
    try {
      const path = pathOf(kind, selection.namespace);
      const answer = await client.stream(path, watchQuery(selection, from, WATCH_SECONDS), signal);
      for await (const event of eventsOf<T>(answer)) {
        if (event.type === 'ERROR') return;
        fruitless = 0;
        from = event.object.metadata.resourceVersion ?? from;
        if (event.type === 'BOOKMARK') continue;
        const id = event.object.metadata.uid ?? event.object.metadata.name;
        if (event.type === 'DELETED') items.delete(id);
        else items.set(id, event.object);
        change();
      }
    } catch (failure) {
      signal.throwIfAborted();
      if (isCode(failure, 410)) return;
      // Some accounts may list but not watch.
      if (isCode(failure, 403)) {
        await rest(POLL, signal);
        return;
      }
      if (!isPassing(failure) && !isCut(failure)) throw failure;
    }
    signal.throwIfAborted();
    fruitless += 1;
    if (fruitless > 3) {
      await rest(POLL, signal);
      return;
    }
    await rest(Math.min(POLL, AGAIN * 2 ** fruitless), signal);
  }
}

type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T }
  | { type: 'ERROR'; object: Status };

async function* eventsOf<T>(answer: IncomingMessage): AsyncGenerator<WatchEvent<T>> {
  // The server ends a watch at its time. One that goes on has lost its connection.
  const guard = setTimeout(() => answer.destroy(), (WATCH_SECONDS + GRACE_SECONDS) * 1000);
  try {
    for await (const line of readLines(answer)) {
      if (line.trim() === '') continue;
      const event = parse<T>(line);
      if (event === undefined) return;
      yield event;
    }
  } finally {
    clearTimeout(guard);
    answer.destroy();
  }
}

function parse<T>(line: string): WatchEvent<T> | undefined {
  try {
    return JSON.parse(line) as WatchEvent<T>;
  } catch {
    return undefined;
  }
}

function isCut(failure: unknown): boolean {
  const code = (failure as { code?: unknown }).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}
