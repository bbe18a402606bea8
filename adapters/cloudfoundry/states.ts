import type { PlatformState } from '../../src/domain/states.js';

export interface AppSituation {
  /** The platform's field `state`: what is wished, not what is. */
  wish: 'STARTED' | 'STOPPED';
  /** A deploy came to its end. */
  deployed: boolean;
  /** Processes that are wanted. */
  wanted: number;
  /** What its processes do; undefined: not told. */
  instances?: readonly { state: string; details?: string | null | undefined }[];
  /** Why the last one crashed, where that is known. */
  crash?: string;
}

export interface AppState {
  state: PlatformState;
  reason?: string;
}

/** The platform's state as ours: STARTED only when every process runs, FAILED when one crashes or finds no place. */
export function stateOf({ wish, deployed, wanted, instances, crash }: AppSituation): AppState {
  if (!deployed) return { state: 'FAILED', reason: 'The deploy did not come to its end.' };
  const states = instances ?? [];
  if (wish === 'STOPPED') return { state: states.every(({ state }) => state === 'DOWN') ? 'STOPPED' : 'STOPPING' };
  // No process is wanted: the platform calls it started, but nothing answers.
  if (wanted === 0) return { state: 'STOPPED', reason: 'It is started with 0 processes.' };
  const crashed = states.filter(({ state }) => state === 'CRASHED').length;
  if (crashed > 0) {
    const many = states.length > 1 ? `${crashed} of ${states.length} processes crashed` : 'It crashed';
    return { state: 'FAILED', reason: crash ? `${many}: ${crash}` : `${many}.` };
  }
  const homeless = states.find(({ state, details }) => state === 'DOWN' && details);
  if (homeless) return { state: 'FAILED', reason: String(homeless.details) };
  if (instances === undefined) return { state: 'STARTED' };
  return { state: isRunning(states, wanted) ? 'STARTED' : 'STARTING' };
}

/** An empty list is no running application. */
export function isRunning(instances: readonly { state: string }[], wanted: number): boolean {
  return instances.length >= Math.max(1, wanted) && instances.every(({ state }) => state === 'RUNNING');
}
