/** How long an agent waits for what. */
export interface Patience {
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
  /** How long the old processes may answer what they have when new ones took over. */
  drainMs: number;
  firstRestartMs: number;
  longestRestartMs: number;
  /** Having lived that long, a process that dies counts as having died for the first time. */
  stableMs: number;
}

export const DEFAULT_PATIENCE: Patience = {
  graceMs: 10_000,
  drainMs: 20_000,
  firstRestartMs: 500,
  longestRestartMs: 60_000,
  stableMs: 60_000,
};
