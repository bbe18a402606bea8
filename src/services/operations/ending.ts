import { isFault } from '../../domain/errors.js';

/** Why a run was ended from outside, as the reason of its signal. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  constructor() {
    super('The task was cancelled.');
  }
}

/** Another worker holds the operation now, or may hold it: nothing more may be written, and the platform is left as it is. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor() {
    super('The lease of the task was lost.');
  }
}

/** The gateway ends: the operation goes back and goes on at the next start. */
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown';
  constructor() {
    super('The gateway is shutting down.');
  }
}

/** What was done could not be stored. It is no failure of the task, which goes on when its lease ends, with the first step not recorded. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
  constructor(cause: unknown) {
    super('The store cannot be reached.', { cause });
  }
}

/** Rejects with StoreAway when the store cannot be reached now. */
export async function orStoreAway<T>(storing: Promise<T>): Promise<T> {
  try {
    return await storing;
  } catch (error) {
    if (isFault(error) && error.code === 'ServiceUnavailable') throw new StoreAway(error);
    throw error;
  }
}
