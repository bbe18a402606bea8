import type { Application } from '../domain/model.js';
import type { Lock, StoreSession } from '../store/store.js';
import { deployedInstances } from './specs.js';

/**
 * What each kind of work holds (api.md §2): an instance's own work holds the instance exclusively, and its application and environment
 * shared; work over an environment or an application holds that exclusively. Instances are locked by number, not by version, because
 * versions of one number are one deployment.
 */
export const instanceLock = (appId: number, instanceId: number) => `instance:${appId}:${instanceId}`;
export const applicationLock = (appId: number) => `application:${appId}`;
export const environmentLock = (envId: number) => `environment:${envId}`;

export function instanceLocks(appId: number, instanceIds: readonly number[], envIds: readonly number[]): Lock[] {
  return [
    { resource: applicationLock(appId), mode: 'shared' },
    ...sharedEnvironments(envIds),
    ...instanceIds.map((instanceId): Lock => ({ resource: instanceLock(appId, instanceId), mode: 'exclusive' })),
  ];
}

export function applicationLocks(appId: number, envIds: readonly number[]): Lock[] {
  return applicationsLocks([appId], envIds);
}

export function applicationsLocks(appIds: readonly number[], envIds: readonly number[]): Lock[] {
  return [
    ...appIds.map((appId): Lock => ({ resource: applicationLock(appId), mode: 'exclusive' })),
    ...sharedEnvironments(envIds),
  ];
}

export function environmentLocks(envId: number): Lock[] {
  return [{ resource: environmentLock(envId), mode: 'exclusive' }];
}

function sharedEnvironments(envIds: readonly number[]): Lock[] {
  return [...new Set(envIds)].map((envId) => ({ resource: environmentLock(envId), mode: 'shared' }));
}

/** Every environment on which the application is, or will be by what waits already, when a new operation on it begins. */
export async function environmentsOf(session: StoreSession, application: Application): Promise<number[]> {
  const pending = await session.operations.pendingOn(applicationLock(application.appId));
  return [...new Set([...deployedInstances(application), ...pending].flatMap(({ envId }) => envId ?? []))];
}
