import type { ConpaasService, ServiceChanges, ServiceGoal, ServiceState } from '../../domain/conpaas.js';
import { isFault } from '../../domain/errors.js';
import { AgentError } from '../agent/client.js';
import type { ConpaasLog } from '../log.js';
import { isPassing } from '../passing.js';
import { converge, type Workshop } from './converge.js';
import { NotEnoughCredits } from './credits.js';
import { RpcError } from './method.js';

/** Takes a service from state to state. Every change is in the store before the work for it begins. */
export interface Lifecycle {
  /** The row as it is now. Throws RpcError when the service is gone. */
  service(): Promise<ConpaasService>;
  /**
   * Begins a transition, when the state allows it; `goal` makes the new goal of what the service holds to. Resolves when the goal is
   * stored. Throws RpcError with the literal text otherwise.
   */
  begin(change: TransitionRequest): Promise<void>;
  /** Changes what a resting service holds to; in RUNNING it becomes a transition through ADAPTING. */
  adjust(reason: string, goal: (current: ServiceGoal) => ServiceGoal): Promise<void>;
  /** Notes something that the application does not see before its next start, in any state. */
  keep(goal: (current: ServiceGoal) => ServiceGoal): Promise<void>;
  /** Ends the service for good, whatever it does now. Under way already: nothing. */
  delete(): Promise<void>;
  /** Brings back what was before a start or a change that is under way. Throws RpcError in other states. */
  undo(): Promise<void>;
  /** Stops a running or changing service; another one is left as it is. */
  stopFor(reason: string): Promise<void>;
  /** Goes on with an unfinished transition, or brings a running service's dead agents back. */
  resume(): Promise<void>;
  /** Gives up what is under way without undoing it: the store knows how to go on. */
  close(): Promise<void>;
}

export interface TransitionRequest {
  /** States in which it may begin. */
  from: readonly ServiceState[];
  to: ServiceState;
  reason: string;
  goal(current: ServiceGoal): ServiceGoal;
}

export interface LifecycleOptions {
  sid: number;
  shop: Workshop;
  /** After the last node of a deleted service is gone. */
  onDeleted(): Promise<void>;
  log: ConpaasLog;
}

/** Where a goal leads when it is reached. */
const REACHED: Record<ServiceGoal['aim'], ServiceState> = {
  running: 'RUNNING',
  stopped: 'STOPPED',
  deleted: 'STOPPED',
};

export function createLifecycle({ sid, shop, onDeleted, log }: LifecycleOptions): Lifecycle {
  let work: Promise<void> = Promise.resolve();
  let abort = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** One decision on the state at a time. */
  function exclusive<T>(decide: () => Promise<T>): Promise<T> {
    const result = turn.then(decide);
    turn = result.catch(() => undefined);
    return result;
  }

  async function service(): Promise<ConpaasService> {
    const row = await shop.store.service(sid);
    if (!row) throw new RpcError('The service does not exist any more.');
    return row;
  }

  async function change(changes: ServiceChanges): Promise<void> {
    await shop.store.updateService(sid, changes);
    if (changes.state) shop.note(`state ${changes.state}${changes.reason ? `: ${changes.reason}` : ''}`);
  }

  /** Ends what runs now; what it left undone, the next work finds. */
  function interrupt(): void {
    abort.abort();
    abort = new AbortController();
  }

  /** After whatever runs now. */
  function run(): void {
    const { signal } = abort;
    work = work
      .then(async () => {
        if (!signal.aborted && !closed) await reach(signal);
      })
      .catch((error: unknown) => log.error({ err: error, sid }, 'A manager could not finish a transition'));
  }

  async function reach(signal: AbortSignal): Promise<void> {
    const row = await service();
    const { goal } = row;
    if (goal === null) return;
    let failure: ServiceChanges | undefined;
    try {
      await converge(shop, row, goal, signal);
      if (goal.aim === 'deleted' && !signal.aborted) return await onDeleted();
    } catch (error) {
      if (signal.aborted) return;
      // No failure of the service: the goal stays, and `resume` goes on when the store is back.
      if (isPassing(error)) throw error;
      failure = await failed(row, goal, error);
    }
    await exclusive(async () => {
      if (signal.aborted) return;
      // Read again: something may have been kept meanwhile.
      const now = await service();
      const outcome = failure ?? reached(now, now.goal ?? goal);
      await change(outcome);
      if (outcome.goal) run();
    });
  }

  async function failed(row: ConpaasService, goal: ServiceGoal, error: unknown): Promise<ServiceChanges> {
    const reason = reasonOf(error);
    log.warn({ sid, state: row.state, reason }, 'A transition failed');
    const { current } = row;
    if (row.state === 'ADAPTING' && !isUndoing(row, goal)) return { state: 'ADAPTING', reason, goal: current };
    if (row.state !== 'PROLOGUE') return { state: 'ERROR', reason, goal: null };
    await clear(row);
    const state = error instanceof NotEnoughCredits ? 'STOPPED' : 'ERROR';
    return { state, reason, current: { ...current, aim: 'stopped' }, goal: null };
  }

  /** Nothing of a failed start remains. */
  async function clear(row: ConpaasService): Promise<void> {
    const nothing: ServiceGoal = { ...row.current, aim: 'stopped' };
    await converge(shop, row, nothing, new AbortController().signal).catch((error: unknown) =>
      log.error({ err: error, sid }, 'Nodes of a failed start could not be removed'),
    );
  }

  async function turnTo(row: ConpaasService, { to, reason, goal }: Omit<TransitionRequest, 'from'>): Promise<void> {
    const next = goal(row.current);
    interrupt();
    await change({ state: to, reason, goal: next });
    run();
  }

  return {
    service,
    begin: ({ from, ...request }) =>
      exclusive(async () => {
        const row = await service();
        if (!from.includes(row.state)) throw new RpcError(WRONG_STATE);
        await turnTo(row, request);
      }),
    delete: () =>
      exclusive(async () => {
        const row = await service();
        if (row.goal?.aim === 'deleted') return;
        const goal = (current: ServiceGoal): ServiceGoal => ({ ...current, aim: 'deleted' });
        await turnTo(row, { to: 'EPILOGUE', reason: 'delete', goal });
      }),
    undo: () =>
      exclusive(async () => {
        const row = await service();
        if (row.state === 'PROLOGUE') return await turnTo(row, { to: 'EPILOGUE', reason: 'undo', goal: stopped });
        if (row.state !== 'ADAPTING') throw new RpcError(WRONG_STATE);
        await turnTo(row, { to: 'ADAPTING', reason: 'undo', goal: (current) => current });
      }),
    stopFor: (reason) =>
      exclusive(async () => {
        const row = await service();
        if (row.state !== 'RUNNING' && row.state !== 'ADAPTING') return;
        await turnTo(row, { to: 'EPILOGUE', reason, goal: stopped });
      }),
    adjust: (reason, goal) =>
      exclusive(async () => {
        const row = await service();
        if (row.state === 'INIT' || row.state === 'STOPPED') {
          return await shop.store.updateService(sid, { current: goal(row.current) });
        }
        if (row.state !== 'RUNNING') throw new RpcError(WRONG_STATE);
        await turnTo(row, { to: 'ADAPTING', reason, goal });
      }),
    keep: (goal) =>
      exclusive(async () => {
        const row = await service();
        const changes = { current: goal(row.current), ...(row.goal ? { goal: goal(row.goal) } : {}) };
        await shop.store.updateService(sid, changes);
      }),
    resume: () =>
      exclusive(async () => {
        const row = await service();
        if (row.goal !== null) return run();
        if (row.state !== 'RUNNING') return;
        const { signal } = abort;
        work = work
          .then(() => converge(shop, row, row.current, signal))
          .catch((error: unknown) => {
            if (!signal.aborted) log.warn({ sid, reason: reasonOf(error) }, 'A running service could not be mended');
          });
      }),
    async close() {
      closed = true;
      abort.abort();
      await work;
    },
  };
}

function stopped(current: ServiceGoal): ServiceGoal {
  return { ...current, aim: 'stopped' };
}

function isUndoing({ current }: ConpaasService, goal: ServiceGoal): boolean {
  return JSON.stringify(goal) === JSON.stringify(current);
}

function reached(row: ConpaasService, goal: ServiceGoal): ServiceChanges {
  const { remove: _, ...current } = goal;
  // Why an adjustment was undone, or a service stopped, is still worth knowing.
  const reason = isUndoing(row, goal) || goal.aim === 'stopped' ? row.reason : '';
  return { state: REACHED[goal.aim], reason, current, goal: null };
}

const WRONG_STATE = 'Cannot perform requested operation in current state';

/** For the owner: the application's last lines belong to it. */
function reasonOf(error: unknown): string {
  if (error instanceof AgentError) {
    return [error.message, ...error.lastLines.slice(-20)].join('\n');
  }
  if (isFault(error) || error instanceof NotEnoughCredits) return error.message;
  return error instanceof Error ? `Inner failure: ${error.message}` : 'Inner failure';
}
