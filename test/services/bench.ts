import type { Environment, Task } from '../../src/domain/model.js';
import type { Upload } from '../../src/domain/views.js';
import {
  ADA,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  openTestServices,
  site,
  type TestServices,
  type TestServicesOptions,
  until,
  uploadOf,
} from '../support/services.js';

export const SLOW = 60_000;

/** A body that must not be read. */
export const UNREAD: Upload = {
  present: true,
  read: () => {
    throw new Error('The body was read');
  },
};

export interface Bench {
  readonly services: TestServices;
  /** Opens others instead. */
  reopen(options: TestServicesOptions): Promise<void>;
  environment(principal?: typeof ADA, changes?: Partial<Environment>): Promise<number>;
  application(principal?: typeof ADA, multitenant?: string): Promise<number>;
  first(): Promise<Upload>;
  /** An environment, and an application whose version has its artefact. */
  stored(names?: string[]): Promise<{ envId: number; appId: number }>;
  /** Instance 1 of version 1. */
  instance(appId: number): ReturnType<TestServices['instances']['describe']>;
  /** The task when it has ended. */
  ended(taskId: number): Promise<Task>;
  /** Until the task has the step, as everybody sees it. */
  reached(taskId: number, step: string): Promise<void>;
}

/** Services of its own for each test of a file. */
export function useServices(options: () => TestServicesOptions = () => ({})): Bench {
  let services: TestServices;
  beforeEach(async () => {
    services = await openTestServices(options());
  });
  afterEach(() => services.close());

  const environment: Bench['environment'] = async (principal = ADA, changes = {}) =>
    finished(await services.environments.create(as(principal), 'MEM', environmentManifest(changes))).envId;
  return {
    get services() {
      return services;
    },
    async reopen(more) {
      await services.close();
      services = await openTestServices(more);
    },
    environment,
    application: async (principal = ADA, multitenant = 'no') =>
      (await services.applications.create(principal, applicationManifest(), multitenant)).appId,
    first: async () => uploadOf(services, await site('one'), 'site.zip'),
    async stored(names = ['Instance1']) {
      const envId = await environment();
      const { appId } = await services.applications.create(ADA, { application: { name: 'PetClinic', versions: [] } });
      const upload = uploadOf(services, await site('one'), 'site.zip', applicationManifest(names));
      await services.versions.create(ADA, appId, upload, as(ADA).signal);
      return { envId, appId };
    },
    instance: (appId) => services.instances.describe(ADA, { appId, versionId: 1, instanceId: 1 }),
    async ended(taskId) {
      await services.operations.ended(taskId, 20, as(ADA).signal);
      return services.tasks.describe(ADA, taskId);
    },
    reached: (taskId, step) =>
      until(async () => (await services.tasks.describe(ADA, taskId)).steps.some((one) => one.name === step)),
  };
}

export async function names(listing: Promise<{ items: AsyncIterable<{ name: string }> | Iterable<{ name: string }> }>) {
  const all: string[] = [];
  for await (const { name } of (await listing).items) all.push(name);
  return all;
}
