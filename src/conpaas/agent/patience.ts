import type { ServiceType } from '../../domain/conpaas.js';

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
  /** What SIGKILL of an agent leaves behind: from SIGTERM to SIGKILL. */
  orphanMs: number;
}

export const DEFAULT_PATIENCE: Patience = {
  graceMs: 10_000,
  drainMs: 20_000,
  firstRestartMs: 500,
  longestRestartMs: 60_000,
  stableMs: 60_000,
  orphanMs: 0,
};

/** A database server writes its pages before it ends. */
const DATABASE_PATIENCE: Patience = { ...DEFAULT_PATIENCE, graceMs: 60_000, orphanMs: 15_000 };

export function patienceFor(type: ServiceType): Patience {
  return type === 'mysql' ? DATABASE_PATIENCE : DEFAULT_PATIENCE;
}

/** Milliseconds after which an agent that was told to end ends with force. */
export function endMsFor(type: ServiceType): number {
  return patienceFor(type).graceMs + 10_000;
}
