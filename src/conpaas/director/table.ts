import { ACCOUNT_ENDPOINTS } from './accounts.js';
import { APPLICATION_ENDPOINTS } from './applications.js';
import { CALLBACK_ENDPOINTS } from './callbacks.js';
import type { Endpoint } from './endpoint.js';
import { MANIFEST_ENDPOINTS } from './manifests.js';
import { OBSERVATION_ENDPOINTS } from './observation.js';
import { PACKAGE_ENDPOINTS } from './package.js';
import { SERVICE_ENDPOINTS } from './services.js';

/** The Director's HTTP API, once. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...ACCOUNT_ENDPOINTS,
  ...APPLICATION_ENDPOINTS,
  ...SERVICE_ENDPOINTS,
  ...CALLBACK_ENDPOINTS,
  ...MANIFEST_ENDPOINTS,
  ...PACKAGE_ENDPOINTS,
  ...OBSERVATION_ENDPOINTS,
];
