import type { Artefact } from '../../../src/domain/model.js';
import type { Claim, Lock, NewApplication, NewEnvironment, NewOperation, NewUser } from '../../../src/store/store.js';

export function application(changes: Partial<NewApplication> = {}): NewApplication {
  return { name: 'PetClinic', tenant: 'acme', multitenant: false, createdBy: 'alice', versions: [], ...changes };
}

export function environment(changes: Partial<NewEnvironment> = {}): NewEnvironment {
  return {
    name: 'JavaWebEnv',
    platform: 'CP',
    tenant: 'acme',
    createdBy: 'alice',
    nodes: [],
    variables: {},
    ...changes,
  };
}

export function operation(locks: Lock[] = [], changes: Partial<NewOperation> = {}): NewOperation {
  return { action: 'deployApplication', input: {}, locks, tenant: 'acme', createdBy: 'alice', ...changes };
}

export function user(name: string, changes: Partial<NewUser> = {}): NewUser {
  return { name, role: 'user', tenant: 'acme', credit: 10, passwordHash: `hash of ${name}`, ...changes };
}

export const artefact = (letter: string): Artefact => ({
  name: 'petclinic.war',
  type: 'war',
  size: 4_000_000_000,
  sha256: letter.repeat(64),
});

export const exclusive = (resource: string): Lock => ({ resource, mode: 'exclusive' });
export const shared = (resource: string): Lock => ({ resource, mode: 'shared' });

export function claimOf(operation: { taskId: number; attempts: number } | undefined, owner: string): Claim {
  if (!operation) throw new Error('Nothing was claimed');
  return { taskId: operation.taskId, owner, attempt: operation.attempts };
}

export async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const row of rows) gathered.push(row);
  return gathered;
}
