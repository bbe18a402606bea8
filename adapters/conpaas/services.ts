import { AdapterError, type EnvironmentKey, type EnvironmentReport, type EnvironmentSpec } from '../adapter.js';
import { ensureDatabases } from './databases.js';
import { ConpaasRefusal } from './errors.js';
import { applicationName } from './names.js';
import { checkNodes } from './runtimes.js';
import { CLEANING, type Work } from './work.js';

/**
 * An environment is a ConPaaS application of the gateway's user, with a mysql service for each database node: ConPaaS itself gives their
 * credentials to the application's other services. The environment's own variables go to each service at its deploy.
 */
export async function createEnvironment(work: Work, environment: EnvironmentSpec): Promise<EnvironmentReport> {
  const { databases, remarks } = await checkNodes(work, environment.nodes);
  work.call.step('application');
  const before = await findApplication(work, environment);
  const aid = before ?? (await makeApplication(work, environment));
  try {
    const more = await ensureDatabases(work, environment, aid, databases);
    return { ref: String(aid), remarks: [...remarks, ...more] };
  } catch (error) {
    // The call's own signal may be aborted already.
    if (before === undefined) await work.director.deleteApplication(aid, AbortSignal.timeout(CLEANING)).catch(() => {});
    throw error;
  }
}

export async function deleteEnvironment(work: Work, environment: EnvironmentKey): Promise<void> {
  const aid = await findApplication(work, environment);
  if (aid === undefined) return;
  work.call.step('delete');
  await work.director.deleteApplication(aid, work.call.signal);
  if ((await findApplication(work, environment)) === undefined) return;
  throw new AdapterError('timeout', `The ConPaaS application ${aid} is still there after it was deleted.`);
}

/** Throws AdapterError `not-found`. */
export async function needApplication(work: Work, environment: EnvironmentKey): Promise<number> {
  const aid = await findApplication(work, environment);
  if (aid !== undefined) return aid;
  throw new AdapterError('not-found', `ConPaaS has no application "${applicationName(environment)}".`);
}

async function findApplication({ director, call }: Work, environment: EnvironmentKey): Promise<number | undefined> {
  const name = applicationName(environment);
  return (await director.applications(call.signal)).find((application) => application.name === name)?.aid;
}

async function makeApplication(work: Work, environment: EnvironmentSpec): Promise<number> {
  try {
    return await work.director.createApplication(applicationName(environment), work.call.signal);
  } catch (error) {
    // Made in between, by a run whose answer was lost.
    const aid = error instanceof ConpaasRefusal ? await findApplication(work, environment) : undefined;
    if (aid === undefined) throw error;
    return aid;
  }
}
