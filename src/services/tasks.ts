import type { Task } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { Listing } from '../domain/views.js';
import type { Paging } from '../store/store.js';
import { ownTask, scopeOf } from './access.js';
import { type Context, type Requester, toTask } from './context.js';
import { listing } from './listing.js';

/** Seconds that a cancel waits for the task to have put things in order. */
const CANCEL_PATIENCE = 10;

export interface Tasks {
  /** Newest first. */
  list(principal: Principal, paging?: Paging): Promise<Listing<Task>>;
  describe(principal: Principal, taskId: number): Promise<Task>;
  /** The task as it is when it has ended, or goes on ending; one that had ended is unchanged. */
  cancel(request: Requester, taskId: number): Promise<Task>;
}

export function createTasks({ store, operations }: Context): Tasks {
  return {
    list: (principal, paging) => listing((page) => store.operations.list(scopeOf(principal), page), paging),
    describe: async (principal, taskId) => toTask(await ownTask(store, principal, taskId)),
    async cancel({ principal, signal, wait }, taskId) {
      await ownTask(store, principal, taskId);
      await operations.cancel(taskId);
      await operations.ended(taskId, Math.min(wait, CANCEL_PATIENCE), signal);
      return toTask(await ownTask(store, principal, taskId));
    },
  };
}
