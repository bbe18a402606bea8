import type { AdapterCall, AdapterLog } from '../../../adapters/adapter.js';
import type { Claim, Operation, Store, StoreSession } from '../../store/store.js';
import { LeaseLost } from './ending.js';
import { type Changes, createReporter, type Reporter } from './reporter.js';
import { type RetryLimits, withRetries } from './retry.js';
import type { OnStep, Run, StepMoment } from './runner.js';

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
  /** After a success: everything that matters is recorded. */
  close(): Promise<void>;
  /** After a failure: writes what the reports have left; a step that is open has failed. */
  closeFailed(): Promise<void>;
}

export function createRun(options: RunOptions): JournalledRun {
  const { store, operation, claim, signal, retry } = options;
  const results: Record<string, unknown> = { ...operation.results };
  const reporter = createReporter(operation.steps, operation.progress);
  const writer = createWriter(reporter, options);
  let open: string | undefined;
  const tell = (name: string, moment: StepMoment) => options.onStep?.(operation.taskId, name, moment);

  const callOf = (parent: string): AdapterCall => ({
    signal,
    step(name, report) {
      reporter.report(`${parent}/${name}`, parent, report);
      writer.soon();
      tell(parent, 'told');
    },
  });
  const begin = (name: string): void => {
    signal.throwIfAborted();
    if (open !== undefined) reporter.end(open, 'FAILED');
    open = name;
    reporter.report(name, name);
    tell(name, 'begin');
  };
  /** Makes the change, where there is one, and records the step, in one transaction (which may run again: it changes nothing here). */
  const record = async <T>(name: string, change: (session: StoreSession) => Promise<T>): Promise<T> => {
    reporter.endChildren(name, 'DONE');
    await writer.settled();
    const changes = reporter.take();
    const result = await store.transaction(async (session) => {
      const made = await change(session);
      await writer.write(session, changes);
      const recorded = await session.operations.recordStep(claim, reporter.end(name, 'DONE'), made ?? null);
      if (!recorded) throw new LeaseLost();
      return made;
    });
    reporter.written(name);
    results[name] = result ?? null;
    open = undefined;
    tell(name, 'recorded');
    return result;
  };
  return {
    operation,
    signal,
    results,
    async step<T>(
      name: string,
      work: (call: AdapterCall) => Promise<T>,
      write?: (session: StoreSession, result: T) => Promise<void>,
    ): Promise<T> {
      if (name in results) return results[name] as T;
      begin(name);
      writer.soon();
      const call = callOf(name);
      const remark = (text: string) => reporter.report(name, name, { text });
      const result = await withRetries(() => work(call), retry, signal, remark);
      tell(name, 'worked');
      return record(name, async (session) => {
        await write?.(session, result);
        return result;
      });
    },
    async commit<T>(name: string, work: (session: StoreSession) => Promise<T>): Promise<T> {
      if (name in results) return results[name] as T;
      begin(name);
      return record(name, work);
    },
    close: () => writer.settled(),
    async closeFailed() {
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
  const write = async (session: StoreSession, { steps, progress }: Changes): Promise<void> => {
    for (const step of steps) {
      if (!(await session.operations.recordStep(claim, step))) throw new LeaseLost();
    }
    if (progress !== undefined) await session.operations.recordProgress(claim, progress);
  };
  const now = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const changes = reporter.take();
    if (changes.steps.length === 0 && changes.progress === undefined) return writing;
    writing = writing
      .then(() => store.transaction((session) => write(session, changes)))
      .catch((error: unknown) => {
        if (error instanceof LeaseLost) onLost(error);
        else log.warn({ taskId: operation.taskId, err: error }, 'the progress of a task could not be written');
      });
    return writing;
  };
  return {
    write,
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
