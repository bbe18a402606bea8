import type { Runner, Runners } from '../operations/runner.js';
import { deletionRunner } from './deletion.js';
import { deployRunner } from './deploy.js';
import type { DeployParts } from './deploy-plan.js';
import { environmentCreationRunner, environmentDeletionRunner, environmentUpdateRunner } from './environments.js';
import { lifecycleRunner } from './lifecycle.js';

/** Who carries out which durable action. */
export function createRunners(parts: DeployParts): Runners {
  const lifecycle = lifecycleRunner(parts);
  const deletion = deletionRunner(parts);
  const deploy = deployRunner(parts);
  const environment = { ...parts, environments: parts.store.environments };
  const runners: Record<string, Runner> = {
    createEnvironment: environmentCreationRunner(environment),
    updateEnvironment: environmentUpdateRunner(environment),
    deleteEnvironment: environmentDeletionRunner(environment),
    startEnvironment: lifecycle,
    stopEnvironment: lifecycle,
    restartEnvironment: lifecycle,
    deployApplication: deploy,
    deployApplicationOnEnvironment: deploy,
    undeployApplication: lifecycle,
    undeployApplicationFromEnvironment: lifecycle,
    startApplication: lifecycle,
    stopApplication: lifecycle,
    restartApplication: lifecycle,
    scaleApplication: lifecycle,
    startApplicationVersionInstance: lifecycle,
    stopApplicationVersionInstance: lifecycle,
    restartApplicationVersionInstance: lifecycle,
    deleteApplication: deletion,
    deleteApplications: deletion,
    deleteApplicationVersion: deletion,
    deleteApplicationVersionInstance: deletion,
  };
  return new Map(Object.entries(runners));
}
