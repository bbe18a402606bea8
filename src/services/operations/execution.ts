import type { AdapterLog } from '../../../adapters/adapter.js';
import { Fault } from '../../domain/errors.js';
import type { Claim, Operation, Store } from '../../store/store.js';
import { toFault } from '../faults.js';
import { Cancelled, LeaseLost, orStoreAway, ShuttingDown, StoreAway } from './ending.js';
import { keepLease } from './lease.js';
import type { RetryLimits } from './retry.js';
import { createRun } from './run.js';
import type { Ended, OnEnd, OnStep, Runner, Runners, Settling, Write } from './runner.js';

/** Milliseconds that putting things in order may take after a run has ended badly. */
const SETTLE_LIMIT = 60_000;

export interface ExecutionOptions {
  store: Store;
  runners: Runners;
  owner: string;
  leaseSeconds: number;
  /** How often an operation is begun before it is given up. */
  attempts: number;
  retry: RetryLimits;
  log: AdapterLog;
  onStep?: OnStep;
  onEnd?: OnEnd;
}

/** One claimed operation on its way to its end. */
export interface Execution {
  taskId: number;
  cancel(): void;
  /** Gives the operation back. */
  shutDown(): void;
  /** Never rejects. */
  done: Promise<void>;
}

export function execute(operation: Operation, options: ExecutionOptions): Execution {
  const { store, log, leaseSeconds } = options;
  const { taskId } = operation;
  const about = subjectOf(operation);
  const claim: Claim = { taskId, owner: options.owner, attempt: operation.attempts };
  const ending = new AbortController();
  const leaving = new AbortController();
  const end = (reason: Error) => {
    if (!(reason instanceof Cancelled)) leaving.abort(reason);
    ending.abort(reason);
  };
  const lease = keepLease({
    ...{ store, claim, seconds: leaseSeconds, onEnd: end },
    onError: (error) => log.warn({ ...about, err: error }, 'the lease of a task could not be renewed'),
  });
  const work = carryOut(operation, claim, { ...options, end, ending: ending.signal, leaving: leaving.signal });
  const done = work
    .catch((error: unknown) => {
      if (error instanceof LeaseLost) log.warn(about, 'a task was taken over by another gateway');
      else
        log.error({ ...about, err: error }, 'a task could not be brought to its end; it goes on when its lease ends');
    })
    .finally(() => lease.end());
  return { taskId, cancel: () => end(new Cancelled()), shutDown: () => end(new ShuttingDown()), done };
}

interface Signals extends ExecutionOptions {
  end(reason: Error): void;
  /** Ends the run. */
  ending: AbortSignal;
  /** Ends everything, settling too: the operation is another worker's, or is given back. */
  leaving: AbortSignal;
}

async function carryOut(operation: Operation, claim: Claim, signals: Signals): Promise<void> {
  const { store, runners, log } = signals;
  const runner = runners.get(operation.action);
  const refusal = refuse(operation, runner, signals.attempts);
  if (!runner || refusal) return settle(operation, claim, runner, refusal ?? new Cancelled(), signals);
  const run = createRun({ ...signals, operation, claim, signal: signals.ending, onLost: signals.end });
  try {
    await runner.run(run);
    const left = await run.close();
    await finish(operation, claim, signals, 'SUCCEEDED', left?.write);
    left?.written();
    log.info(subjectOf(operation), 'a task succeeded');
  } catch (error) {
    const reason: unknown = signals.ending.aborted ? signals.ending.reason : error;
    if (reason instanceof LeaseLost || reason instanceof StoreAway) throw reason;
    await run.closeFailed();
    if (reason instanceof ShuttingDown) return leave(store, claim, reason);
    await settle({ ...operation, results: run.results }, claim, runner, reason, signals);
  }
}

async function leave(store: Store, claim: Claim, reason: Error): Promise<void> {
  if (reason instanceof LeaseLost) throw reason;
  await store.operations.release(claim);
}

function refuse(operation: Operation, runner: Runner | undefined, attempts: number): Error | undefined {
  if (!runner) return new Fault('Internal Failure', `This gateway does not know the action ${operation.action}.`);
  if (operation.cancelRequested) return new Cancelled();
  if (operation.attempts <= attempts) return undefined;
  const times = operation.attempts === 2 ? 'once' : `${operation.attempts - 1} times`;
  return new Fault('Internal Failure', `The task was interrupted ${times} by an end of the gateway and is given up.`);
}

/** Brings an operation that did not succeed to its end. */
async function settle(
  operation: Operation,
  claim: Claim,
  runner: Runner | undefined,
  reason: unknown,
  signals: Signals,
): Promise<void> {
  const { store, log, leaving, ending } = signals;
  const { platform } = operation;
  const about = subjectOf(operation);
  const cancelled = reason instanceof Cancelled;
  const fault = cancelled ? new Fault('Conflict', 'The task was cancelled.') : toFault(reason, platform);
  const limited = AbortSignal.any([leaving, AbortSignal.timeout(SETTLE_LIMIT)]);
  const settling: Settling = {
    operation,
    cancelled,
    call: () => ({ signal: limited, step: () => {} }),
    result: <T>(name: string) => operation.results[name] as T | undefined,
  };
  const { write, remains } = (await runner?.settle?.(settling, fault)) ?? {};
  // Begun again at the next claim: what was put in order stays so.
  if (leaving.aborted) return leave(store, claim, leaving.reason);
  const message = [fault.message, remains].filter(Boolean).join(' ');
  await finish(operation, claim, signals, cancelled ? 'CANCELLED' : 'FAILED', write, { code: fault.code, message });
  if (cancelled) log.info(about, 'a task was cancelled');
  else log.warn({ ...about, code: fault.code, err: fault.cause ?? fault, ended: ending.aborted }, 'a task failed');
}

/** What every line of the log says of a task: its number, and the request that asked for it. */
function subjectOf({ taskId, action, platform, requestId }: Operation) {
  return { taskId, action, platform, requestId };
}

async function finish(
  { action, platform, startedAt }: Operation,
  claim: Claim,
  { store, onEnd }: Signals,
  state: Ended['state'],
  write?: Write,
  error?: { code: Fault['code']; message: string },
): Promise<void> {
  const storing = store.transaction(async (session) => {
    await write?.(session);
    if (!(await session.operations.finish(claim, state, error))) throw new LeaseLost();
  });
  await orStoreAway(storing);
  const seconds = startedAt === undefined ? 0 : Math.max(0, (Date.now() - Date.parse(startedAt)) / 1000);
  onEnd?.({ action, ...(platform === undefined ? {} : { platform }), state, seconds });
}
