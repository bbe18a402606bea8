import type { Readable } from 'node:stream';
import { Fault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';
import { assertMayRun, instanceOf, readableApplication } from './access.js';
import type { Context } from './context.js';
import { toFault } from './faults.js';
import type { InstanceAddress } from './instances.js';
import { assertLegal } from './legality.js';
import { adapterOfEnvironment } from './platforms.js';
import { deploymentKey } from './specs.js';

const LINES = 100;
const MOST_LINES = 10_000;

export interface LogRequest {
  lines?: number;
  /** Stays open until the signal aborts. */
  follow?: boolean;
  signal: AbortSignal;
}

/** The output of a deployed instance. Another tenant's output is not part of what a multitenant application shows. */
export async function openLogs(
  context: Context,
  principal: Principal,
  address: InstanceAddress,
  { lines = LINES, follow = false, signal }: LogRequest,
): Promise<Readable> {
  const { store } = context;
  const application = await readableApplication(store, principal, address.appId);
  const instance = instanceOf(application, address.versionId, address.instanceId);
  await assertMayRun(store, principal, application, instance);
  const environment = instance.envId === undefined ? undefined : await store.environments.get(instance.envId);
  if (!environment) {
    assertLegal('start', { ...instance, state: 'CREATED' });
    throw new Fault('Conflict', 'The environment of this instance is gone.');
  }
  const adapter = adapterOfEnvironment(context, environment);
  const { logs, followLogs } = adapter.capabilities;
  if (!logs) throw new Fault('NotSupported', `The platform ${environment.platform} gives no logs.`);
  if (follow && !followLogs)
    throw new Fault('NotSupported', `The platform ${environment.platform} cannot follow logs.`);
  const wanted = Math.max(0, Math.min(lines, MOST_LINES));
  try {
    const key = deploymentKey(store.installation, instance, environment.envId);
    return await adapter.logs(key, { lines: wanted, follow }, { signal, step: () => {} });
  } catch (error) {
    throw toFault(error, environment.platform);
  }
}
