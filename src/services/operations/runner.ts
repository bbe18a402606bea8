import type { AdapterCall, PlatformAdapter } from '../../../adapters/adapter.js';
import type { Fault } from '../../domain/errors.js';
import type { Operation, StoreSession } from '../../store/store.js';

/** Changes of the store, made in the same transaction that makes the operation terminal. Awaits nothing but the session. */
export type Write = (session: StoreSession) => Promise<void>;

/** What a step's result changes in the store. */
export type WriteResult<T> = (session: StoreSession, result: T) => Promise<void>;

/** How one action is carried out. It may be interrupted anywhere and run again from its start, on another gateway too. */
export interface Runner {
  /** Does the work in journalled steps. */
  run(run: Run): Promise<void>;
  /**
   * Puts in order what a run leaves that failed, was cancelled, or was given up. It may ask the platform, and does not throw for what it
   * could not do: it says so in `remains`, which the task's error then tells.
   */
  settle?(run: Settling, fault: Fault): Promise<Settlement>;
  /** For an operation that was cancelled before it ever ran. */
  abandon?(session: StoreSession, operation: Operation): Promise<void>;
}

export interface Settlement {
  write?: Write;
  remains?: string;
}

export interface Run {
  readonly operation: Operation;
  /** Aborts on a cancel, on the gateway's end, and when another worker took the operation over. */
  readonly signal: AbortSignal;
  /**
   * A journalled piece of work on the platform: what it returned is kept (as JSON), and is returned without working when the operation
   * goes on after a crash. The platform's passing troubles (`unavailable`) are waited out, within bounds. `write` is done in the
   * transaction that records the result.
   */
  step<T>(name: string, work: (call: AdapterCall) => Promise<T>, write?: WriteResult<T>): Promise<T>;
  /**
   * As `step`, for the last one: `write` and the record are done in the transaction that ends the operation, or before it is settled.
   * Nothing that follows in the run may rely on them.
   */
  last<T>(name: string, work: (call: AdapterCall) => Promise<T>, write?: WriteResult<T>): Promise<void>;
  /** A journalled change of the store: change and record are one transaction, so it happens exactly once. */
  commit<T>(name: string, work: (session: StoreSession) => Promise<T>): Promise<T>;
}

export interface Settling {
  readonly operation: Operation;
  readonly cancelled: boolean;
  /** For cleaning up: not aborted by what ended the run, but limited in time. */
  call(): AdapterCall;
  /** What a step of the run has returned, when it came to its end. */
  result<T>(name: string): T | undefined;
}

export type Runners = ReadonlyMap<string, Runner>;
export type Adapters = ReadonlyMap<string, PlatformAdapter>;

/** Moments of a journalled step at which a crash makes a difference. `told`: the adapter has reported a step of its own. */
export type StepMoment = 'begin' | 'told' | 'worked' | 'recorded';
export type OnStep = (taskId: number, step: string, moment: StepMoment) => void;

/** The end of an operation, for metrics. */
export interface Ended {
  action: string;
  platform?: string;
  state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  /** Since it first began. */
  seconds: number;
}
export type OnEnd = (ended: Ended) => void;
