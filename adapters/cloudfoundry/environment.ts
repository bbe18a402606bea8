import type { AdapterCall, EnvironmentReport, EnvironmentSpec } from '../adapter.js';
import type { Foundry } from './client.js';
import { read } from './resources.js';
import { chooseRuntime, ignoredNodes, installedBuildpacks } from './runtimes.js';
import { ensureServices } from './services.js';

/** An environment is nothing on Cloud Foundry but its databases; its container is checked, so that a wrong one is told at once. */
export async function createEnvironment(
  foundry: Foundry,
  environment: EnvironmentSpec,
  call: AdapterCall,
): Promise<EnvironmentReport> {
  const { signal } = call;
  call.step('check');
  const { spaceGuid } = await foundry.target(signal);
  // The space may have gone since it was looked up.
  await foundry.cc.get(`/v3/spaces/${spaceGuid}`, read.named, signal);
  const remarks = ignoredNodes(environment.nodes);
  if (environment.nodes.some(({ contentType }) => contentType === 'container')) {
    const installed = await installedBuildpacks(foundry, signal);
    remarks.push(...chooseRuntime(environment, 'zip', environment.memory, installed, foundry.settings).remarks);
  }
  const services = await ensureServices(foundry, environment, call);
  return { ref: spaceGuid, remarks: [...remarks, ...services.remarks] };
}
