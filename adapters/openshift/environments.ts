import type { EnvironmentReport, EnvironmentSpec } from '../adapter.js';
import { readCatalogue } from './catalogue.js';
import { demandContainer } from './choose.js';
import { ensureProject } from './projects.js';
import { ensureDatabases, planDatabases } from './services.js';
import { ensureVariables } from './variables.js';
import type { Work } from './work.js';

/** The project, the variables as a secret, the databases. What the cluster cannot do is found before anything is made. */
export async function createEnvironment(work: Work, environment: EnvironmentSpec): Promise<EnvironmentReport> {
  const catalogue = await readCatalogue(work.client, work.settings, work.call.signal);
  demandContainer(catalogue, environment);
  const plan = planDatabases(catalogue, environment);
  const namespace = await ensureProject(work, environment);
  const refused = await ensureVariables(work, namespace, environment);
  const kept = await ensureDatabases(work, namespace, environment, plan.wanted);
  return { ref: namespace, remarks: [...plan.remarks, ...refused, ...kept] };
}
