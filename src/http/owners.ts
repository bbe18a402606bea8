import type { Subject } from '../api/subjects.js';
import { isFault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';

/** Finds the tenant of an application or environment that the caller may see. */
export interface TenantOf {
  application(appId: number): Promise<string>;
  environment(envId: number): Promise<string>;
}

/**
 * Versions and instances belong to their application's tenant, and do not say so themselves; an instance of another tenant's
 * application may run on an environment of the caller's. It matters only to links of a caller who is no admin; each is looked up
 * once for an answer.
 */
export function createOwners(
  principal: Principal,
  tenantOf: TenantOf,
): (subject: Subject) => Subject | Promise<Subject> {
  const application = remembered(tenantOf.application);
  const environment = remembered(tenantOf.environment);
  const lookUp = async (subject: Subject, appId: number): Promise<Subject> => {
    const { envId } = subject.params;
    const owner = await application(appId);
    if (owner === principal.tenant || subject.on !== 'instance' || typeof envId !== 'number')
      return { ...subject, owner };
    return { ...subject, owner, runs: (await environment(envId)) === principal.tenant };
  };
  return (subject) => {
    const { appId } = subject.params;
    const known = subject.owner !== undefined || !OWNED.includes(subject.on) || principal.role === 'admin';
    return known || typeof appId !== 'number' ? subject : lookUp(subject, appId);
  };
}

const OWNED: readonly Subject['on'][] = ['version', 'versions', 'instance', 'instances', 'artefact', 'artefacts'];

function remembered(find: (id: number) => Promise<string>): (id: number) => Promise<string> {
  const known = new Map<number, Promise<string>>();
  return (id) => {
    const found = known.get(id) ?? find(id).catch(nobody);
    known.set(id, found);
    return found;
  };
}

/** Deleted or made private meanwhile: nobody's whom we know. */
function nobody(error: unknown): string {
  if (isFault(error)) return '';
  throw error;
}
