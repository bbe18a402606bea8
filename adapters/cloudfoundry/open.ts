import type { AdapterContext, CheckResult } from '../adapter.js';
import { check } from './check.js';
import { connect } from './client.js';
import { CloudFoundryAdapter } from './index.js';
import { readSettings } from './settings.js';

export async function openAdapter({
  options,
  platform,
  installation,
  onCall,
}: AdapterContext): Promise<CloudFoundryAdapter> {
  return new CloudFoundryAdapter(connect(await readSettings(options), platform, onCall), installation);
}

export async function checkPlatform(
  { options, platform }: AdapterContext,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const foundry = connect(await readSettings(options), platform);
  try {
    return await check(foundry, signal);
  } finally {
    foundry.close();
  }
}
