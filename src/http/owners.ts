import type { Subject } from '../api/subjects.js';
import { isFault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';

/** Finds whose an application is. */
export type OwnerOf = (appId: number) => Promise<string>;

/**
 * Versions and instances belong to their application's tenant, and do not say so themselves. It matters only to links of a
 * caller who is no admin; each application is looked up once for an answer.
 */
export function createOwners(principal: Principal, tenantOf: OwnerOf): (subject: Subject) => Promise<Subject> {
  const known = new Map<number, Promise<string>>();
  return async (subject) => {
    const appId = subject.params['appId'];
    const has = subject.owner !== undefined || subject.on === 'environment' || subject.on === 'environments';
    if (has || principal.role === 'admin' || typeof appId !== 'number') return subject;
    const owner = known.get(appId) ?? tenantOf(appId).catch(nobody);
    known.set(appId, owner);
    return { ...subject, owner: await owner };
  };
}

/** Deleted or made private meanwhile: nobody's whom we know. */
function nobody(error: unknown): string {
  if (isFault(error)) return '';
  throw error;
}
