import { TERMINAL_OPERATION_STATES } from '../../domain/states.js';
import type { Operation, Store } from '../../store/store.js';

/** Milliseconds between two looks at an operation that another gateway may be ending. */
const LOOK_INTERVAL = 1000;

/** Those who wait for operations: told at once by this process, by a look now and then for others. */
export interface Waiting {
  /** Wakes those who wait for the operation. */
  tell(taskId: number): void;
  /**
   * The operation as it is when it is terminal or `seconds` have passed. Undefined when it is gone. Rejects with the signal's reason:
   * the client has gone, and the operation goes on.
   */
  wait(taskId: number, seconds: number, signal: AbortSignal): Promise<Operation | undefined>;
  /** From now on nobody waits: everybody gets the operation as it is. */
  close(): void;
  open(): void;
}

export function createWaiting(store: Store): Waiting {
  const waiting = new Map<number, Set<() => void>>();
  let closed = false;

  /** Resolves at the next tell, or after `milliseconds`. */
  const next = (taskId: number, milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wakers = waiting.get(taskId) ?? new Set();
      waiting.set(taskId, wakers);
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        wakers.delete(wake);
        if (wakers.size === 0 && waiting.get(taskId) === wakers) waiting.delete(taskId);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      wakers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });

  const tell = (taskId: number) => {
    for (const wake of [...(waiting.get(taskId) ?? [])]) wake();
  };
  return {
    tell,
    close() {
      closed = true;
      for (const taskId of [...waiting.keys()]) tell(taskId);
    },
    open() {
      closed = false;
    },
    async wait(taskId, seconds, signal) {
      const until = Date.now() + seconds * 1000;
      const done = new AbortController();
      const ending = AbortSignal.any([signal, done.signal]);
      try {
        for (;;) {
          signal.throwIfAborted();
          const left = until - Date.now();
          // Waiting begins before the look: what ends between the two is not missed.
          const woken = left > 0 ? next(taskId, Math.min(left, LOOK_INTERVAL), ending) : undefined;
          const operation = await store.operations.get(taskId);
          if (!woken || closed || !operation || isTerminal(operation)) return operation;
          await woken;
        }
      } finally {
        done.abort();
      }
    },
  };
}

export function isTerminal({ state }: Pick<Operation, 'state'>): boolean {
  return TERMINAL_OPERATION_STATES.includes(state);
}
