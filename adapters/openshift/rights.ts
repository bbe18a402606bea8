import {
  BUILD,
  BUILD_CONFIG,
  CONFIG_MAP,
  DEPLOYMENT,
  IMAGE_STREAM,
  IMAGE_STREAM_IMAGE,
  type Kind,
  POD,
  PROJECT,
  ROUTE,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  VOLUME_CLAIM,
} from './kinds.js';

export interface Right {
  kind: Kind;
  verb: string;
  subresource?: string;
}

const all = (kind: Kind, ...verbs: string[]): Right[] => verbs.map((verb) => ({ kind, verb }));
const MANAGED = ['get', 'list', 'create', 'patch', 'delete'] as const;

/** What the account needs in a project of its own; the role in docs/openshift.md says the same, and a test holds the two together. */
export const PROJECT_RIGHTS: readonly Right[] = [
  ...all(DEPLOYMENT, ...MANAGED, 'watch'),
  ...all(ROUTE, ...MANAGED, 'watch'),
  { kind: ROUTE, verb: 'create', subresource: 'custom-host' },
  ...all(SERVICE, ...MANAGED, 'watch'),
  ...all(IMAGE_STREAM, ...MANAGED, 'watch'),
  ...all(IMAGE_STREAM_IMAGE, 'get'),
  ...all(BUILD_CONFIG, ...MANAGED, 'watch'),
  { kind: BUILD_CONFIG, verb: 'create', subresource: 'instantiatebinary' },
  ...all(BUILD, 'get', 'list', 'watch', 'patch', 'delete'),
  { kind: BUILD, verb: 'get', subresource: 'log' },
  ...all(POD, 'get', 'list', 'watch'),
  { kind: POD, verb: 'get', subresource: 'log' },
  ...all(SECRET, 'get', 'list', 'create', 'patch'),
  ...all(CONFIG_MAP, 'get', 'create', 'patch'),
  ...all(VOLUME_CLAIM, 'get', 'create', 'patch'),
  ...all(SERVICE_ACCOUNT, 'get'),
  ...all(PROJECT, 'get', 'delete'),
];
