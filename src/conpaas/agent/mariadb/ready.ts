import type { ProcessGroup } from '../group.js';
import { listenersOf } from '../ports.js';
import type { Address } from '../protocol.js';
import { pause } from '../wait.js';
import type { Tools } from './tools.js';

export interface ReadinessOptions {
  group: ProcessGroup;
  listen: Address;
  /** Of its processes, when it is not the agent's own. */
  uid: number | undefined;
  tools: Tools;
  seconds: number;
  signal: AbortSignal;
}

const FIRST_STEP_MS = 50;
const LONGEST_STEP_MS = 500;
const ACCESS_DENIED = 'ERROR 1045';

/** Waits until the group itself listens at its address and answers its administrator. Throws Error that says what happened instead. */
export async function untilReady({ group, listen, uid, tools, seconds, signal }: ReadinessOptions): Promise<void> {
  const end = Date.now() + seconds * 1000;
  let step = FIRST_STEP_MS;
  let last = `it does not listen on ${listen.host} port ${listen.port}.`;
  while (!signal.aborted) {
    if (group.hasEnded()) throw new Error(`it ended at once (${await group.ended}).`);
    if (await listens(group, listen, uid)) {
      const refusal = await tools.execute(['SELECT 1;\n'], signal).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (refusal === undefined) return;
      if (refusal.startsWith(ACCESS_DENIED)) throw new Error('its accounts could not be set.');
      last = refusal;
    }
    if (Date.now() > end) throw new Error(`it does not answer after ${seconds} seconds: ${last}`);
    await Promise.race([pause(step, signal), group.ended]);
    step = Math.min(LONGEST_STEP_MS, step * 1.5);
  }
  throw new Error('the start was given up.');
}

async function listens(group: ProcessGroup, { host, port }: Address, uid: number | undefined): Promise<boolean> {
  const pids = (await group.members()).map(({ pid }) => pid);
  return (await listenersOf(pids, uid)).some((one) => one.host === host && one.port === port);
}
