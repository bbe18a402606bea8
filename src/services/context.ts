import type { AdapterLog, PlatformAdapter } from '../../adapters/adapter.js';
import type { Task } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { Operation, Store, StoreSession } from '../store/store.js';
import type { Artefacts } from './artefacts.js';
import type { Cancel, Operations } from './operations/operations.js';

/** What the services share. */
export interface Context {
  store: Store;
  /** By the names of the configured platforms. */
  adapters: ReadonlyMap<string, PlatformAdapter>;
  defaultPlatform: string;
  artefacts: Artefacts;
  operations: Operations;
  log: AdapterLog;
}

/** Who asks, and how long the answer may take: the part of a handler's call that durable work needs. */
export interface Requester {
  principal: Principal;
  /** Seconds to wait for the work to end. */
  wait: number;
  requestId: string;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
}

/** The time is up, or the client did not want to wait: the work goes on as this task. */
export interface Accepted {
  accepted: Task;
}

/**
 * Stores an operation, waits for its end as long as the client does, and then reads what it came to. Throws the operation's Fault.
 */
export async function perform<T>(
  { operations, store }: Context,
  { wait, signal }: Requester,
  enqueue: (session: StoreSession, cancel: Cancel) => Promise<Operation>,
  result: (operation: Operation) => Promise<T>,
): Promise<T | Accepted> {
  const operation = await operations.enqueue(enqueue);
  const ended = wait > 0 && (await operations.outcome(operation.taskId, wait, signal));
  if (ended) return result(operation);
  return { accepted: toTask((await store.operations.get(operation.taskId)) ?? operation) };
}

/** Without what is the gateway's own: input, results, attempts. */
export function toTask(operation: Operation): Task {
  const { input: _, results: _results, attempts: _attempts, cancelRequested: _cancel, ...rest } = operation;
  const { platform: _platform, requestId: _requestId, ...task } = rest;
  return task;
}
