import { randomUUID } from 'node:crypto';
import type { AdapterLog } from '../../../adapters/adapter.js';
import { Fault } from '../../domain/errors.js';
import type { Task } from '../../domain/model.js';
import type { Operation, Store, StoreSession } from '../../store/store.js';
import type { RetryLimits } from './retry.js';
import type { OnEnd, OnStep, Runners } from './runner.js';
import { createWaiting, isTerminal } from './waiting.js';
import { createWorker } from './worker.js';

export interface OperationsOptions {
  store: Store;
  runners: Runners;
  log: AdapterLog;
  /** Seconds after which another gateway (or this one, started again) takes over what a dead one ran. */
  leaseSeconds?: number;
  /** How often an operation is begun before it is given up. */
  attempts?: number;
  /** Who claims, the same after a restart; without it somebody new. Two that live at a time must differ. */
  owner?: string;
  /** How many operations run at once in this process. */
  concurrency?: number;
  /** How many run at once on one platform, over all gateways; without it so many as there are. */
  perPlatform?: number;
  /** How many may wait or run; more are refused. */
  queue?: number;
  /** Milliseconds between two looks for work that other gateways left. */
  pollInterval?: number;
  retry?: RetryLimits;
  /** Platforms that another gateway on the same database runs. */
  elsewhere?(): readonly string[];
  /** Called at every moment of a step at which a crash makes a difference: tests kill the process there. */
  onStep?: OnStep;
  /** Called after each operation that this process has brought to its end. Does not throw. */
  onEnd?: OnEnd;
}

/** Asks for a cancel within a transaction; it takes effect with it. */
export type Cancel = (taskId: number) => Promise<void>;

/** Durable work: everything that is done on a platform. */
export interface Operations {
  /** Whether there is room for one more: to be asked before a client sends a large body. Throws Fault `ServiceUnavailable`. */
  admit(): Promise<void>;
  /**
   * Stores operations in a transaction, cancels others in it, and sees to it that all that is begun at once. Throws Fault
   * `ServiceUnavailable`, and changes nothing, when too many wait or the gateway ends.
   */
  enqueue<T>(work: (session: StoreSession, cancel: Cancel) => Promise<T>): Promise<T>;
  /**
   * Waits until the operation has ended, at most `seconds` and as long as this gateway works. Undefined: it goes on. Throws the Fault of a failed or cancelled one, and
   * the signal's reason when the client has gone.
   */
  outcome(taskId: number, seconds: number, signal: AbortSignal): Promise<Task | undefined>;
  /** Waits until the operation has ended, however it did. */
  ended(taskId: number, seconds: number, signal: AbortSignal): Promise<Operation | undefined>;
  /** Undefined: there is none. A terminal one is unchanged. */
  cancel(taskId: number): Promise<Operation | undefined>;
  start(): void;
  /** Takes and claims nothing more, waits `patience` milliseconds for what runs, gives the rest back, and lets nobody wait any more. */
  stop(patience?: number): Promise<void>;
}

const RETRY: RetryLimits = { repetitions: 4, delay: 500, longest: 10_000 };
const STOP_PATIENCE = 10_000;
/** Told with a stored ServiceUnavailable; the platform's own wish is not kept. */
const RETRY_AFTER = 30;
const RETRY_FULL = 10;
const RETRY_STOPPING = 5;

export function createOperations({ store, runners, log, onStep, onEnd, ...limits }: OperationsOptions): Operations {
  const { owner = randomUUID(), perPlatform, queue = Number.POSITIVE_INFINITY } = limits;
  const waiting = createWaiting(store);
  let stopping = false;
  const worker = createWorker({
    ...{ store, runners, log, owner, perPlatform, onDone: waiting.tell },
    leaseSeconds: limits.leaseSeconds ?? 15,
    attempts: limits.attempts ?? 5,
    concurrency: limits.concurrency ?? 32,
    pollInterval: limits.pollInterval ?? 1000,
    retry: limits.retry ?? RETRY,
    elsewhere: limits.elsewhere ?? (() => []),
    ...(onStep ? { onStep } : {}),
    ...(onEnd ? { onEnd } : {}),
  });
  const change: Operations['enqueue'] = async (work) => {
    const cancelled = new Set<number>();
    const { result, claimed } = await worker.claiming((claim) =>
      store.transaction(async (session) => {
        const made = await work(session, async (taskId) => {
          await requestCancel(session, runners, taskId);
          cancelled.add(taskId);
        });
        await claim(session);
        return made;
      }),
    );
    for (const taskId of cancelled) {
      worker.cancel(taskId);
      waiting.tell(taskId);
    }
    // Otherwise it is what was stored, and nothing else has become due.
    if (claimed && (cancelled.size > 0 || taskOf(result) !== claimed.taskId)) worker.wake();
    return result;
  };
  const refuseWhenStopping = () => {
    if (!stopping) return;
    throw new Fault('ServiceUnavailable', 'The gateway is shutting down; try again.', { retryAfter: RETRY_STOPPING });
  };
  const refuseAbove = async (active: Promise<number>, most: number) => {
    if ((await active) <= most) return;
    const text = `The gateway has ${queue} tasks to do already, the most that it takes; try again later.`;
    throw new Fault('ServiceUnavailable', text, { retryAfter: RETRY_FULL });
  };
  return {
    async admit() {
      refuseWhenStopping();
      await refuseAbove(store.operations.active(), queue - 1);
    },
    async enqueue(work) {
      refuseWhenStopping();
      return await change(async (session, cancel) => {
        const result = await work(session, cancel);
        // Counted afterwards: one that joined another, or took a cancelled one's place, is none more.
        await refuseAbove(session.operations.active(), queue);
        return result;
      });
    },
    async outcome(taskId, seconds, signal) {
      const operation = await waiting.wait(taskId, seconds, signal);
      if (!operation) throw new Fault('NotFound', `There is no task ${taskId}.`);
      return isTerminal(operation) ? succeeded(operation) : undefined;
    },
    ended: (taskId, seconds, signal) => waiting.wait(taskId, seconds, signal),
    async cancel(taskId) {
      await change((_session, cancel) => cancel(taskId));
      return store.operations.get(taskId);
    },
    start() {
      stopping = false;
      waiting.open();
      worker.start();
    },
    async stop(patience = STOP_PATIENCE) {
      stopping = true;
      await worker.stop(patience);
      waiting.close();
    },
  };
}

function taskOf(result: unknown): unknown {
  return (result as Partial<Operation> | undefined)?.taskId;
}

async function requestCancel(session: StoreSession, runners: Runners, taskId: number): Promise<void> {
  const before = await session.operations.get(taskId);
  const after = await session.operations.requestCancel(taskId);
  if (!before || isTerminal(before) || after?.state !== 'CANCELLED') return;
  await runners.get(after.action)?.abandon?.(session, after);
}

function succeeded(operation: Operation): Task {
  if (operation.state === 'SUCCEEDED') return operation;
  const { code, message } = operation.error ?? { code: 'Conflict' as const, message: 'The task was cancelled.' };
  throw new Fault(code, message, code === 'ServiceUnavailable' ? { retryAfter: RETRY_AFTER } : {});
}
