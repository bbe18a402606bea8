import type { Artefact } from '../domain/model.js';
import type { InstanceState, OperationState } from '../domain/states.js';
import type { ApplicationSummary, ResponseValues } from '../domain/views.js';
import { deployedInstances, deployedState } from '../representations/application.js';
import type { ListKind, ThingKind } from '../representations/kinds.js';
import type { LinkSource } from './action.js';
import type { PathValues } from './lookup.js';

/** What of a value decides its links. */
export interface Subject {
  on: LinkSource;
  /** Path parameters that are known there. */
  params: PathValues;
  name?: string;
  state?: InstanceState;
  task?: OperationState;
  /** The tenant that may change it; absent: nobody's, or known only by its application. */
  owner?: string;
  /** The caller's tenant runs it, on an environment of its own. */
  runs?: boolean;
  /** The platform on which it is. */
  platform?: string;
}

type Of<T> = (value: T, around: PathValues) => Omit<Subject, 'on'>;

const application: Of<ApplicationSummary> = ({ appId, name, state, tenant }) => ({
  params: { appId },
  name,
  state,
  owner: tenant,
});
const version: Of<ResponseValues['version']> = ({ appId, versionId, name }) => ({
  params: { appId, versionId },
  ...(name !== undefined && { name }),
});
const instance: Of<ResponseValues['instance']> = ({ appId, versionId, instanceId, name, state, envId }) => ({
  params: { appId, versionId, instanceId, ...(envId !== undefined && { envId }) },
  name,
  state,
});
const environment: Of<ResponseValues['environment']> = ({ envId, name, state, tenant, platform }) => ({
  params: { envId },
  name,
  state,
  owner: tenant,
  platform,
});
const task: Of<ResponseValues['task']> = ({ taskId, action, state, tenant, ...ids }) => ({
  params: known({
    taskId,
    appId: ids.appId,
    versionId: ids.versionId,
    instanceId: ids.instanceId,
    envId: ids.envId,
  }),
  name: action,
  task: state,
  owner: tenant,
});
const user: Of<ResponseValues['user']> = ({ name }) => ({ params: { name }, name });
const key: Of<ResponseValues['key']> = ({ keyId, user }) => ({ params: { name: user, keyId } });
const artefact: Of<Artefact> = ({ name }, around) => ({ params: { ...around, name }, name });
const nothing: Of<unknown> = (_, around) => ({ params: around });

const OF_THINGS: { [K in ThingKind]: Of<ResponseValues[K]> } = {
  application: (value, around) => {
    const envId = deployedInstances(value)[0]?.envId;
    const { params, ...rest } = application({ ...value, state: deployedState(value) }, around);
    return { ...rest, params: { ...params, ...(envId !== undefined && { envId }) } };
  },
  version,
  instance,
  environment,
  task,
  user,
  key,
  information: nothing,
  service: nothing,
  operationResponse: nothing,
};

type RowOf<K extends ListKind> = ResponseValues[K] extends { items: AsyncIterable<infer T> | Iterable<unknown> }
  ? T
  : never;
const OF_ROWS: { [K in ListKind]: { on: LinkSource; of: Of<RowOf<K>> } } = {
  applications: { on: 'application', of: application },
  versions: { on: 'version', of: version },
  instances: { on: 'instance', of: instance },
  environments: { on: 'environment', of: environment },
  tasks: { on: 'task', of: task },
  users: { on: 'user', of: user },
  keys: { on: 'key', of: key },
  artefacts: { on: 'artefact', of: artefact },
  auditEvents: { on: 'auditEvent', of: nothing },
};

/** Of a document; `around` are the path parameters of the request. */
export function subjectOfThing<K extends ThingKind>(kind: K, value: ResponseValues[K], around: PathValues): Subject {
  return { on: kind as LinkSource, ...OF_THINGS[kind](value, around) };
}

/** Of a row in a list. */
export function subjectOfRow<K extends ListKind>(kind: K, row: unknown, around: PathValues): Subject {
  const { on, of } = OF_ROWS[kind] as { on: LinkSource; of: Of<unknown> };
  // Not spread: it is made for each of ten thousand rows.
  return Object.assign(of(row, around), { on });
}

function known(values: Record<string, number | undefined>): PathValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as PathValues;
}
