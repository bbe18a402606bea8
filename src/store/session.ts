import { applicationStore } from './applications.js';
import { auditStore } from './audit.js';
import { conpaasStore } from './conpaas.js';
import { environmentStore } from './environments.js';
import { operationStore } from './operations.js';
import type { Run } from './run.js';
import type { StoreSession } from './store.js';
import { userStore } from './users.js';

/** Every aggregate over the same way to the database: a new aggregate is a line here and in `StoreSession`. */
export function sessionOver(run: Run): StoreSession {
  return {
    applications: applicationStore(run),
    environments: environmentStore(run),
    operations: operationStore(run),
    users: userStore(run),
    audit: auditStore(run),
    conpaas: conpaasStore(run),
  };
}
