import type { Operation, StoreSession } from '../../store/store.js';
import { type Execution, type ExecutionOptions, execute } from './execution.js';

export interface WorkerOptions extends ExecutionOptions {
  /** How many operations run at once in this process. */
  concurrency: number;
  /** How many run at once on one platform, over all processes. */
  perPlatform: number | undefined;
  /** Milliseconds between two looks for what other gateways have left (an ended lease, a lock that was given back there). */
  pollInterval: number;
  /** Platforms that another gateway on the same database runs: what is to be done there is left to it. */
  elsewhere(): readonly string[];
  /** Called after each operation that this worker has brought to its end. */
  onDone(taskId: number): void;
}

/** Claims what is due and carries it out. */
export interface Worker {
  start(): void;
  /** Something may be due now. */
  wake(): void;
  /**
   * Runs a transaction that stores operations, and lets it claim one as well where there is room: so one that is due at once costs no
   * transaction more. Gives what the transaction gives, and which one was claimed; without one it looks what is due.
   */
  claiming<T>(
    /** Its `claim` comes last, within the transaction. */
    transact: (claim: (session: StoreSession) => Promise<void>) => Promise<T>,
  ): Promise<{ result: T; claimed: Operation | undefined }>;
  /** Cancels the operation if this worker runs it. */
  cancel(taskId: number): void;
  /** Claims nothing more, waits `patience` milliseconds for what runs, and gives the rest back. */
  stop(patience: number): Promise<void>;
}

export function createWorker(options: WorkerOptions): Worker {
  const { store, log, owner, leaseSeconds, concurrency, perPlatform, pollInterval, onDone } = options;
  const running = new Map<number, Execution>();
  let started = false;
  let wanted = false;
  let looking: Promise<void> | undefined;
  /** Transactions that claim are under way, and so many places are kept for what they claim. */
  const entering = new Set<Promise<void>>();
  let promised = 0;
  let timer: NodeJS.Timeout | undefined;

  const begin = (operation: Operation): void => {
    const execution = execute(operation, options);
    running.set(operation.taskId, execution);
    void execution.done.then(() => {
      running.delete(operation.taskId);
      onDone(operation.taskId);
      wake();
    });
  };
  const hasRoom = () => started && running.size + promised < concurrency;
  const claimOne = ({ operations }: StoreSession) =>
    operations.claim(owner, leaseSeconds, perPlatform, options.elsewhere());
  const enter = async <T>(transact: (claim: (session: StoreSession) => Promise<void>) => Promise<T>) => {
    const places = hasRoom() ? 1 : 0;
    let claimed: Operation | undefined;
    promised += places;
    try {
      const result = await transact(async (session) => {
        claimed = places > 0 ? await claimOne(session) : undefined;
      });
      if (claimed && started) begin(claimed);
      else if (claimed) await store.operations.release({ taskId: claimed.taskId, owner, attempt: claimed.attempts });
      return { result, claimed };
    } catch (error) {
      claimed = undefined;
      throw error;
    } finally {
      promised -= places;
      if (!claimed) wake();
    }
  };
  const claimAll = async (): Promise<void> => {
    while (started && wanted) {
      wanted = false;
      while (hasRoom()) {
        const operation = await claimOne(store);
        if (!operation) break;
        begin(operation);
      }
    }
  };
  const wake = (): void => {
    if (!started) return;
    wanted = true;
    looking ??= claimAll()
      .catch((error: unknown) => log.error({ err: error }, 'no task can be claimed: the store does not answer'))
      .finally(() => {
        looking = undefined;
        if (wanted) wake();
      });
  };
  const schedule = (): void => {
    clearTimeout(timer);
    if (started) timer = setTimeout(poll, pollInterval);
  };
  const poll = (): void => {
    wake();
    schedule();
  };
  return {
    start() {
      started = true;
      poll();
    },
    wake,
    claiming(transact) {
      const entered = enter(transact);
      const over = entered.then(
        () => {},
        () => {},
      );
      entering.add(over);
      void over.then(() => entering.delete(over));
      return entered;
    },
    cancel(taskId) {
      const cancel = () => running.get(taskId)?.cancel();
      cancel();
      // It may be just now on its way from the store, claimed before the cancel was asked for.
      void Promise.all([looking, ...entering]).then(cancel);
    },
    async stop(patience) {
      started = false;
      clearTimeout(timer);
      await Promise.all([looking, ...entering]);
      const all = Promise.all([...running.values()].map((one) => one.done));
      await Promise.race([all, limit(patience, all)]);
      for (const one of running.values()) one.shutDown();
      await all;
    },
  };
}

/** Resolves after `milliseconds`, or with `all`; keeps no timer longer than that. */
function limit(milliseconds: number, all: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void all.then(() => clearTimeout(timer));
  });
}
