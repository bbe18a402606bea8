import type { ConpaasStore } from '../domain/conpaas.js';
import { applicationRows } from './conpaas/applications.js';
import { certificateRows } from './conpaas/certificates.js';
import { codeVersionRows } from './conpaas/code-versions.js';
import { creditRows } from './conpaas/credits.js';
import { nodeRows } from './conpaas/nodes.js';
import { serviceRows } from './conpaas/services.js';
import type { Run } from './run.js';

/** The aggregate of the ConPaaS Director and its managers. */
export function conpaasStore(run: Run): ConpaasStore {
  return {
    ...applicationRows(run),
    ...serviceRows(run),
    ...nodeRows(run),
    ...codeVersionRows(run),
    ...certificateRows(run),
    ...creditRows(run),
  };
}
