import type { DeploymentKey, DeploymentReport } from '../adapter.js';
import { needDeployment, processesOf, report, subjectOf } from './deployments.js';
import { DEPLOYMENT } from './kinds.js';
import { ANNOTATION } from './names.js';
import { podsOf, untilReady, untilStopped } from './rollout.js';
import { isReady, troubleOf } from './states.js';
import { unstoppable, type Work } from './work.js';

export async function start(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  const { namespace, deployment } = await needDeployment(work, key);
  const subject = subjectOf(namespace, key);
  work.call.step('start');
  if ((deployment.spec.replicas ?? 1) > 0 && !isReady(deployment)) {
    // One that crashes is tried again after minutes only; who starts it wants to see it now.
    const trouble = troubleOf(deployment, await podsOf(work, subject));
    if (trouble?.final) await halt(work, namespace, key);
  }
  await change(work, namespace, key, { replicas: processesOf(deployment) });
  await untilReady(work, subject);
  return await report(work, key);
}

export async function stop(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  const { namespace } = await needDeployment(work, key);
  work.call.step('stop');
  await halt(work, namespace, key);
  return await report(work, key);
}

export async function restart(work: Work, key: DeploymentKey): Promise<DeploymentReport> {
  const { namespace } = await needDeployment(work, key);
  work.call.step('stop');
  await halt(work, namespace, key);
  return await start(work, key);
}

/** What cannot be reached is taken back, so that the number is one that the project has room for. */
export async function scale(work: Work, key: DeploymentKey, processes: number): Promise<DeploymentReport> {
  const { namespace, deployment } = await needDeployment(work, key);
  const before = { replicas: deployment.spec.replicas ?? 1, processes: processesOf(deployment) };
  work.call.step('scale', { text: `${before.processes} to ${processes}` });
  if (before.replicas === 0) {
    await change(work, namespace, key, { processes });
    return await report(work, key);
  }
  try {
    await change(work, namespace, key, { replicas: processes, processes });
    await untilReady(work, subjectOf(namespace, key));
  } catch (failure) {
    await change(unstoppable(work), namespace, key, before);
    throw failure;
  }
  return await report(work, key);
}

async function halt(work: Work, namespace: string, key: DeploymentKey): Promise<void> {
  await change(work, namespace, key, { replicas: 0 });
  await untilStopped(work, subjectOf(namespace, key));
}

async function change(
  { client, call }: Work,
  namespace: string,
  key: DeploymentKey,
  { replicas, processes }: { replicas?: number; processes?: number },
): Promise<void> {
  const changes = {
    ...(processes === undefined ? {} : { metadata: { annotations: { [ANNOTATION.processes]: String(processes) } } }),
    ...(replicas === undefined ? {} : { spec: { replicas } }),
  };
  await client.patch(DEPLOYMENT, namespace, subjectOf(namespace, key).name, changes, call.signal);
}
