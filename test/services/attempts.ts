import {
  ADA,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  NOTHING,
  site,
  type TestServices,
  uploadOf,
} from '../support/services.js';

/** An action that is interrupted by a crash, and what is there before. Everything has number 1. */
export interface Attempt {
  prepare(services: TestServices): Promise<void>;
  act(services: TestServices): Promise<unknown>;
}

const place = { appId: 1, envId: 1 };

async function store(services: TestServices): Promise<void> {
  finished(await services.environments.create(as(ADA), 'MEM', environmentManifest()));
  await services.applications.create(ADA, { application: { name: 'PetClinic', versions: [] } });
  const upload = uploadOf(services, await site('one'), 'site.zip', applicationManifest());
  await services.versions.create(ADA, 1, upload, as(ADA).signal);
}

async function deploy(services: TestServices): Promise<void> {
  await store(services);
  finished(await services.deployments.deploy(as(ADA), place, NOTHING));
  finished(await services.actions.act(as(ADA), 1, 'start'));
}

export const ATTEMPTS: Record<string, Attempt> = {
  deploy: { prepare: store, act: (services) => services.deployments.deploy(as(ADA), place, NOTHING) },
  upgrade: {
    prepare: deploy,
    act: async (services) => services.deployments.deploy(as(ADA), place, uploadOf(services, await site('two'))),
  },
  stop: { prepare: deploy, act: (services) => services.actions.act(as(ADA), 1, 'stop') },
  undeploy: { prepare: deploy, act: (services) => services.deployments.undeploy(as(ADA), place) },
  'delete the application': { prepare: deploy, act: (services) => services.applications.delete(as(ADA), 1) },
  'create the environment': {
    prepare: async () => {},
    act: (services) => services.environments.create(as(ADA), 'MEM', environmentManifest()),
  },
};
