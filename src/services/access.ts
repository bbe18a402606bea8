import { Fault } from '../domain/errors.js';
import type { Application, Environment, Instance, Task, Version } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import type { Scope, StoreSession } from '../store/store.js';

/** Whose resources a list shows: an admin's shows everybody's. */
export function scopeOf(principal: Principal): Scope {
  return principal.role === 'admin' ? {} : { tenant: principal.tenant };
}

function owns(principal: Principal, { tenant }: { tenant: string }): boolean {
  return principal.role === 'admin' || principal.tenant === tenant;
}

/** An application that the principal may read and deploy: its own tenant's, or a multitenant one. Another tenant's does not exist for it. */
export async function readableApplication(
  session: StoreSession,
  principal: Principal,
  appId: number,
): Promise<Application> {
  const application = await session.applications.get(appId);
  if (application && (owns(principal, application) || application.multitenant)) return application;
  throw new Fault('NotFound', `There is no application ${appId}.`);
}

/** An application that the principal may change. */
export async function ownApplication(session: StoreSession, principal: Principal, appId: number): Promise<Application> {
  const application = await readableApplication(session, principal, appId);
  assertOwn(principal, application);
  return application;
}

export function assertOwn(principal: Principal, application: Application): void {
  if (owns(principal, application)) return;
  throw new Fault(
    'AccessDenied',
    `Application ${application.appId} belongs to another tenant: it can be read and deployed, but not changed.`,
  );
}

export async function ownEnvironment(session: StoreSession, principal: Principal, envId: number): Promise<Environment> {
  const environment = await session.environments.get(envId);
  if (environment && owns(principal, environment)) return environment;
  throw new Fault('NotFound', `There is no environment ${envId}.`);
}

export async function ownTask(session: StoreSession, principal: Principal, taskId: number) {
  const operation = await session.operations.get(taskId);
  if (operation && owns(principal, operation satisfies Task)) return operation;
  throw new Fault('NotFound', `There is no task ${taskId}.`);
}

/** A deployment of a multitenant application belongs to the tenant on whose environment it is, too. */
export async function assertMayRun(
  session: StoreSession,
  principal: Principal,
  application: Application,
  { envId }: Pick<Instance, 'envId'>,
): Promise<void> {
  if (owns(principal, application)) return;
  const environment = envId === undefined ? undefined : await session.environments.get(envId);
  if (environment && owns(principal, environment)) return;
  assertOwn(principal, application);
}

export function versionOf(application: Application, versionId: number): Version {
  const version = application.versions.find((one) => one.versionId === versionId);
  if (version) return version;
  throw new Fault('NotFound', `There is no version ${versionId} of application ${application.appId}.`);
}

export function instanceOf(application: Application, versionId: number, instanceId: number): Instance {
  const instance = versionOf(application, versionId).instances.find((one) => one.instanceId === instanceId);
  if (instance) return instance;
  throw new Fault(
    'NotFound',
    `There is no instance ${instanceId} of version ${versionId} of application ${application.appId}.`,
  );
}
