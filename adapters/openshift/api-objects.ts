/** What the adapter reads of the cluster's objects: as narrow as it needs, all of it optional that a server may leave out. */
export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
}

/** An object as it is sent. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
}

export interface Deployment extends ApiObject {
  spec: {
    replicas?: number;
    template?: { spec?: { containers?: { name: string; image?: string }[] } };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: Condition[];
  };
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: object;
  terminated?: { exitCode?: number; signal?: number; reason?: string; message?: string };
}

export interface Pod extends ApiObject {
  spec?: { containers?: { name: string }[] };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface Build extends ApiObject {
  status?: {
    phase?: 'New' | 'Pending' | 'Running' | 'Complete' | 'Failed' | 'Error' | 'Cancelled' | (string & {});
    reason?: string;
    message?: string;
    logSnippet?: string;
    outputDockerImageReference?: string;
    output?: { to?: { imageDigest?: string } };
  };
}

export interface ImageStream extends ApiObject {
  spec?: {
    tags?: {
      name: string;
      annotations?: Record<string, string> | null;
      referencePolicy?: { type?: string };
      from?: { kind?: string; name?: string };
    }[];
  };
  status?: {
    dockerImageRepository?: string;
    tags?: { tag: string; items?: { image: string; dockerImageReference: string }[] | null }[];
  };
}

export interface ImageStreamImage extends ApiObject {
  image?: { dockerImageReference?: string };
}

export interface Route extends ApiObject {
  spec: { host?: string; tls?: { termination?: string } };
  status?: { ingress?: { host?: string; conditions?: Condition[] }[] };
}

export interface Project extends ApiObject {
  status?: { phase?: string; conditions?: Condition[] };
}

export interface Secret extends ApiObject {
  /** Base64. */
  data?: Record<string, string>;
}

export interface ConfigMap extends ApiObject {
  data?: Record<string, string>;
}

export interface AccessReview {
  status?: { allowed?: boolean; reason?: string };
}
