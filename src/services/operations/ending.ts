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
