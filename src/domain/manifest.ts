import type { EnvironmentNode } from './model.js';

/**
 * Any descriptor of either generation (`paas_manifest` of 1.6, `paas_application_manifest` of 1.5), read into one model.
 * Each endpoint takes the half it needs; what is absent in the document is absent here.
 */
export interface Manifest {
  name?: string;
  description?: string;
  application?: ApplicationDescriptor;
  environment?: EnvironmentDescriptor;
}

export interface ApplicationDescriptor {
  name?: string;
  description?: string;
  /** From `environment` or `environement`. */
  environmentName?: string;
  multitenant?: boolean;
  versions: VersionDescriptor[];
}

export interface VersionDescriptor {
  name?: string;
  label?: string;
  description?: string;
  deployables: DeployableDescriptor[];
  instances: InstanceDescriptor[];
}

export interface DeployableDescriptor {
  name: string;
  contentType: 'artifact' | 'folder';
  location?: string;
  multitenancyLevel?: string;
}

export interface InstanceDescriptor {
  name?: string;
  description?: string;
  initialState?: string;
  defaultInstance?: boolean;
  /** MiB. */
  memory?: number;
  /** MiB. */
  disk?: number;
}

export interface EnvironmentDescriptor {
  name?: string;
  description?: string;
  template?: string;
  provider?: string;
  memory?: number;
  disk?: number;
  nodes: EnvironmentNode[];
  variables: Record<string, string>;
}
