import type { AdapterCall, PlatformAdapter } from '../../adapters/adapter.js';
import { Fault } from '../domain/errors.js';
import type { Environment } from '../domain/model.js';
import type { Context } from './context.js';
import { toFault } from './faults.js';

type Platforms = Pick<Context, 'adapters' | 'defaultPlatform'>;

/**
 * The platform of a new environment: the base under which the request came; else the descriptor's provider, where it names a configured
 * platform (case ignored: old clients send what was true for their own server); else the default.
 */
export function choosePlatform(
  { adapters, defaultPlatform }: Platforms,
  base: string | undefined,
  provider?: string,
): string {
  const named = [...adapters.keys()].find((name) => name.toLowerCase() === provider?.trim().toLowerCase());
  return base ?? named ?? defaultPlatform;
}

export function adapterOf({ adapters }: Pick<Context, 'adapters'>, platform: string): PlatformAdapter {
  const adapter = adapters.get(platform);
  if (adapter) return adapter;
  throw new Fault('ServiceUnavailable', `The platform "${platform}" is not configured at this gateway now.`);
}

export function adapterOfEnvironment(context: Pick<Context, 'adapters'>, environment: Environment): PlatformAdapter {
  return adapterOf(context, environment.platform);
}

/** A look at a platform, outside of any task: `work` is ended after `seconds`, and its errors become Faults. */
export async function ask<T>(
  context: Pick<Context, 'adapters'>,
  platform: string,
  limit: { signal: AbortSignal; seconds: number },
  work: (adapter: PlatformAdapter, call: AdapterCall) => Promise<T>,
): Promise<T> {
  const adapter = adapterOf(context, platform);
  const time = AbortSignal.timeout(limit.seconds * 1000);
  const signal = AbortSignal.any([limit.signal, time]);
  try {
    return await work(adapter, { signal, step: () => {} });
  } catch (error) {
    limit.signal.throwIfAborted();
    if (!time.aborted) throw toFault(error, platform);
    throw new Fault('PlatformTimeout', `The platform ${platform} did not answer within ${limit.seconds} seconds.`, {
      cause: error,
    });
  }
}
