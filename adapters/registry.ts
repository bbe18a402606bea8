import type { AdapterDefinition } from './adapter.js';
import { cloudFoundryDefinition } from './cloudfoundry/definition.js';
import { conpaasDefinition } from './conpaas/definition.js';
import { memoryDefinition } from './memory/definition.js';
import { openshiftDefinition } from './openshift/definition.js';

/** Every provider. A new one is one import and one entry. */
export const ADAPTERS: readonly AdapterDefinition[] = [
  memoryDefinition,
  conpaasDefinition,
  cloudFoundryDefinition,
  openshiftDefinition,
];
