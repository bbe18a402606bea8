import type { PlatformInformation } from '../domain/model.js';
import type { Context } from './context.js';
import { ask } from './platforms.js';

/** Seconds within which a platform tells what it offers. */
const LIMIT = 30;

/** What a base's platform offers; at `/rest`, the default one. */
export async function describePlatform(
  context: Context,
  adapterNames: ReadonlyMap<string, string>,
  base: string | undefined,
  signal: AbortSignal,
): Promise<PlatformInformation> {
  const platform = base ?? context.defaultPlatform;
  const offer = await ask(context, platform, { signal, seconds: LIMIT }, (adapter, call) => adapter.info(call));
  return { platform, adapter: adapterNames.get(platform) ?? platform, ...offer };
}
