import type { ServiceType } from '../../domain/conpaas.js';

/** What this machine can run, for `available_services` and `GET /environment/info`. */
export interface RuntimeReport {
  /** e.g. `tomcat`, `jar`, `nodejs`, `static`. */
  name: string;
  /** The service type that offers it. */
  type: ServiceType;
  available: boolean;
  version?: string;
  /** When it is missing: a sentence that says what to install. */
  install?: string;
}

export declare function detectRuntimes(env: NodeJS.ProcessEnv): Promise<RuntimeReport[]>;
