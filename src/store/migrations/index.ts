import { core } from './0001-core.js';
import { conpaas } from './0002-conpaas.js';
import { indexes } from './0003-indexes.js';
import type { Migration } from './migration.js';

/** In the order in which they run. */
export const MIGRATIONS: readonly Migration[] = [core, conpaas, indexes];
