import type { AdapterCall, AdapterLog } from '../../../adapters/adapter.js';
import type { Claim, Operation, Store, StoreSession } from '../../store/store.js';
import { LeaseLost, orStoreAway } from './ending.js';
import { type Changes, createReporter, type Reporter } from './reporter.js';
import { type RetryLimits, withRetries } from './retry.js';
import type { OnStep, Run, StepMoment, Write, WriteResult } from './runner.js';

/** Milliseconds between two writings of what an adapter tells. */
const WRITE_INTERVAL = 250;

export interface RunOptions {
  store: Store;
  operation: Operation;
  claim: Claim;
  signal: AbortSignal;
  retry: RetryLimits;
  log: AdapterLog;
  onStep?: OnStep;
  /** The store says that the claim is no longer ours. */
  onLost(reason: LeaseLost): void;
}

export interface JournalledRun extends Run {
  /** What every step that is done has returned. */
  readonly results: Readonly<Record<string, unknown>>;
  /** After a success: what is left to be recorded, in the transaction that ends the operation. */
  close(): Promise<Left | undefined>;
  /** After a failure: writes what is left; a step that is open has failed. */
  closeFailed(): Promise<void>;
}

/** The record of a step that is done. */
export interface Left {
  /** May run again: it changes nothing but the session. */
  write: Write;
  /** To be called when that is committed. */
  written(): void;
}

export function createRun(options: RunOptions): JournalledRun {
  const { store, operation, claim, signal, retry } = options;
  const results: Record<string, unknown> = { ...operation.results };
  const reporter = createReporter(operation.steps, operation.progress);
  const writer = createWriter(reporter, options);
  let open: string | undefined;
  let left: Left | undefined;
  const tell = (name: string, moment: StepMoment) => options.onStep?.(operation.taskId, name, moment);

  const callOf = (parent: string): AdapterCall => ({
    signal,
    step(name, report) {
      reporter.report(`${parent}/${name}`, parent, report);
      writer.soon();
      tell(parent, 'told');
    },
  });
  const begin = async (name: string): Promise<void> => {
    await recordLeft();
    signal.throwIfAborted();
    if (open !== undefined) reporter.end(open, 'FAILED');
    open = name;
    reporter.report(name, name);
    tell(name, 'begin');
  };
  const ended = async <T>(
    name: string,
    change: (session: StoreSession) => Promise<T>,
  ): Promise<Left & { result(): T }> => {
    reporter.endChildren(name, 'DONE');
    await writer.settled();
    const { steps, ...rest } = reporter.take();
    let result: T;
    return {
      result: () => result,
      async write(session) {
        result = await change(session);
        const done = { ...reporter.end(name, 'DONE'), result: result ?? null };
        const isNew = steps.every((step) => step.name !== name);
        const all = steps.map((step) => (step.name === name ? done : step)).concat(isNew ? done : []);
        if (!(await session.operations.record(claim, { ...rest, steps: all }))) throw new LeaseLost();
      },
      written() {
        reporter.written(name);
        results[name] = result ?? null;
        open = undefined;
        tell(name, 'recorded');
      },
    };
  };
  /** Makes the change, where there is one, and records the step, in one transaction. */
  const record = async <T>(name: string, change: (session: StoreSession) => Promise<T>): Promise<T> => {
    const made = await ended(name, change);
    await orStoreAway(store.transaction(made.write));
    made.written();
    return made.result();
  };
  const recordLeft = async (): Promise<void> => {
    if (!left) return;
    const { write, written } = left;
    await orStoreAway(store.transaction(write));
    left = undefined;
    written();
  };
  const work = async <T>(name: string, piece: (call: AdapterCall) => Promise<T>): Promise<T> => {
    await begin(name);
    writer.soon();
    const call = callOf(name);
    const remark = (text: string) => reporter.report(name, name, { text });
    const result = await withRetries(() => piece(call), retry, signal, remark);
    tell(name, 'worked');
    return result;
  };
  return {
    operation,
    signal,
    results,
    async step<T>(name: string, piece: (call: AdapterCall) => Promise<T>, write?: WriteResult<T>): Promise<T> {
      if (name in results) return results[name] as T;
      const result = await work(name, piece);
      return record(name, async (session) => {
        await write?.(session, result);
        return result;
      });
    },
    async last<T>(name: string, piece: (call: AdapterCall) => Promise<T>, write?: WriteResult<T>): Promise<void> {
      if (name in results) return;
      const result = await work(name, piece);
      left = await ended(name, async (session) => {
        await write?.(session, result);
        return result;
      });
    },
    async commit<T>(name: string, change: (session: StoreSession) => Promise<T>): Promise<T> {
      if (name in results) return results[name] as T;
      await begin(name);
      return record(name, change);
    },
    async close() {
      await writer.settled();
      return left;
    },
    async closeFailed() {
      await recordLeft();
      if (open !== undefined) reporter.end(open, 'FAILED');
      await writer.settled();
      await writer.now();
    },
  };
}

/** Writes the reports in the background, one transaction at a time. A report is worth no failure: what cannot be written is logged. */
function createWriter(reporter: Reporter, { store, claim, log, onLost, operation }: RunOptions) {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = async (changes: Changes): Promise<void> => {
    if (!(await store.operations.record(claim, changes))) throw new LeaseLost();
  };
  const now = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const changes = reporter.take();
    if (changes.steps.length === 0 && changes.progress === undefined) return writing;
    writing = writing
      .then(() => write(changes))
      .catch((error: unknown) => {
        if (error instanceof LeaseLost) onLost(error);
        else log.warn({ taskId: operation.taskId, err: error }, 'the progress of a task could not be written');
      });
    return writing;
  };
  return {
    now,
    soon() {
      timer ??= setTimeout(() => void now(), WRITE_INTERVAL);
    },
    /** No background write is under way or planned. */
    async settled() {
      clearTimeout(timer);
      timer = undefined;
      await writing;
    },
  };
}
