import type { Operation, StoreSession } from '../store/store.js';
import { applicationLock } from './locks.js';
import type { Cancel } from './operations/operations.js';

/** Asks for a cancel of everything on the application that is not itself a deletion; `isMeant` narrows it. */
export async function cancelWork(
  session: StoreSession,
  cancel: Cancel,
  appId: number,
  isMeant: (operation: Operation) => boolean = () => true,
): Promise<void> {
  for (const operation of await session.operations.pendingOn(applicationLock(appId))) {
    if (isCancellable(operation) && isMeant(operation)) await cancel(operation.taskId);
  }
}

/** A deletion does not cancel another one: it waits for it. */
export function isCancellable({ action }: Operation): boolean {
  return !action.startsWith('delete');
}
