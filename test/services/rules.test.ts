import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Upload } from '../../src/domain/views.js';
import { makeZip } from '../contract/archive.js';
import {
  ADA,
  applicationManifest,
  as,
  BOB,
  environmentManifest,
  finished,
  NOTHING,
  openTestServices,
  ROOT,
  site,
  type TestServices,
  uploadOf,
} from '../support/services.js';

let services: TestServices;
let drop: string;
beforeEach(async () => {
  drop = await mkdtemp(join(tmpdir(), 'drop-'));
  services = await openTestServices({ dropFolder: drop });
});
afterEach(async () => {
  await services.close();
  await rm(drop, { recursive: true });
});

/** A body that must not be read. */
const UNREAD: Upload = {
  present: true,
  read: () => {
    throw new Error('The body was read');
  },
};

const makeEnvironment = async (principal = ADA, changes = {}) =>
  finished(await services.environments.create(as(principal), 'MEM', environmentManifest(changes))).envId;
const makeApplication = async (principal = ADA, multitenant = 'no') =>
  (await services.applications.create(principal, applicationManifest(), multitenant)).appId;

describe("another tenant's", () => {
  test('application, environment and task do not exist', async () => {
    const envId = await makeEnvironment();
    const appId = await makeApplication();
    const missing = { code: 'NotFound' };
    await expect(services.applications.describe(BOB, appId)).rejects.toMatchObject(missing);
    await expect(services.applications.delete(as(BOB), appId)).rejects.toMatchObject(missing);
    await expect(services.environments.describe(BOB, envId)).rejects.toMatchObject(missing);
    await expect(services.environments.delete(as(BOB), envId)).rejects.toMatchObject(missing);
    await expect(services.deployments.deploy(as(BOB), { appId, envId }, UNREAD)).rejects.toMatchObject(missing);
    await expect(services.tasks.describe(BOB, 1)).rejects.toMatchObject(missing);
    await expect(services.tasks.cancel(as(BOB), 1)).rejects.toMatchObject(missing);
    expect(await names(services.applications.list(BOB))).toEqual([]);
    expect(await names(services.applications.list(ROOT))).toEqual(['PetClinic']);
    expect((await services.environments.describe(ROOT, envId)).tenant).toBe('acme');
  });

  test('multitenant application can be read, deployed and run on an own environment, and not changed', async () => {
    const appId = await makeApplication(ADA, 'yes');
    finished(await services.deployments.deploy(as(ADA), { appId, envId: await makeEnvironment() }, await first()));
    const envId = await makeEnvironment(BOB);
    expect(await names(services.applications.list(BOB))).toEqual(['PetClinic']);
    const deployed = finished(await services.deployments.deploy(as(BOB), { appId, envId }, NOTHING));
    expect(deployed.versions[0]?.instances).toMatchObject([
      { instanceId: 1, envId: 1 },
      { instanceId: 2, envId },
    ]);
    const started = finished(await services.actions.act(as(BOB), appId, 'start'));
    expect(started.versions[0]?.instances.map((one) => one.state)).toEqual(['STOPPED', 'STARTED']);
    finished(await services.instances.act(as(BOB), { appId, versionId: 1, instanceId: 2 }, 'stop'));
    const denied = { code: 'AccessDenied' };
    await expect(
      services.instances.act(as(BOB), { appId, versionId: 1, instanceId: 1 }, 'start'),
    ).rejects.toMatchObject(denied);
    await expect(
      services.logs(BOB, { appId, versionId: 1, instanceId: 1 }, { signal: as(BOB).signal }),
    ).rejects.toMatchObject(denied);
    await expect(services.applications.update(BOB, appId, {})).rejects.toMatchObject(denied);
    await expect(services.deployments.deploy(as(BOB), { appId, envId }, UNREAD)).rejects.toMatchObject(denied);
    await expect(services.versions.create(BOB, appId, UNREAD, as(BOB).signal)).rejects.toMatchObject(denied);
    await expect(services.applications.delete(as(BOB), appId)).rejects.toMatchObject(denied);
    finished(await services.deployments.undeploy(as(BOB), { appId, envId }));
  });
});

describe('what the state does not allow', () => {
  test('is refused with what to do, before a body is read', async () => {
    const [envId, other] = [await makeEnvironment(), await makeEnvironment()];
    const appId = await makeApplication();
    const key = { appId, versionId: 1, instanceId: 1 };
    const conflict = (text: string) => ({ code: 'Conflict', message: expect.stringContaining(text) });
    const notDeployed = conflict('is not deployed; deploy it on an environment first.');
    await expect(services.instances.act(as(ADA), key, 'start')).rejects.toMatchObject(notDeployed);
    await expect(services.deployments.undeploy(as(ADA), { ...key, envId })).rejects.toMatchObject(notDeployed);
    await expect(services.actions.act(as(ADA), appId, 'stop')).rejects.toMatchObject(conflict('deploy it first'));
    await expect(services.logs(ADA, key, { signal: as(ADA).signal })).rejects.toMatchObject(notDeployed);
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, await first()));
    await expect(services.deployments.deploy(as(ADA), { ...key, envId: other }, UNREAD)).rejects.toMatchObject(
      conflict(`is deployed on environment ${envId}; undeploy it there first`),
    );
    await expect(services.deployments.undeploy(as(ADA), { appId, envId: other })).rejects.toMatchObject(
      conflict(`not deployed on environment ${other}`),
    );
    await expect(services.actions.scale(as(ADA), appId, 0)).rejects.toMatchObject({ code: 'InvalidValue' });
  });

  test('does not include a start of what is started, nor a stop of what is stopped', async () => {
    const envId = await makeEnvironment();
    const appId = await makeApplication();
    const key = { appId, versionId: 1, instanceId: 1 };
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, await first()));
    for (const verb of ['stop', 'start', 'start'] as const) finished(await services.instances.act(as(ADA), key, verb));
    expect(await services.instances.describe(ADA, key)).toMatchObject({ state: 'STARTED' });
  });

  test('is judged when the turn comes, for what waits behind something else', async () => {
    const envId = await makeEnvironment();
    const appId = await makeApplication();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, await first()));
    services.platform.trouble.delay = 30;
    const undeploying = services.deployments.undeploy(as(ADA), { appId, envId });
    const starting = services.instances.act(as(ADA), { appId, versionId: 1, instanceId: 1 }, 'start');
    await undeploying;
    await expect(starting).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('not deployed'),
    });
  });
});

describe('an unknown', () => {
  test('version, instance, application, environment is NotFound, and no body is read', async () => {
    const envId = await makeEnvironment();
    const appId = await makeApplication();
    const missing = { code: 'NotFound' };
    const places = [
      { appId: 99, envId },
      { appId, envId: 99 },
      { appId, envId, versionId: 2, instanceId: 1 },
      { appId, envId, versionId: 1, instanceId: 2 },
    ];
    for (const place of places) {
      await expect(services.deployments.deploy(as(ADA), place, UNREAD)).rejects.toMatchObject(missing);
      await expect(services.deployments.undeploy(as(ADA), place)).rejects.toMatchObject(missing);
    }
    await expect(services.versions.create(ADA, 99, UNREAD, as(ADA).signal)).rejects.toMatchObject(missing);
    await expect(services.versions.download(ADA, appId, 1, 'x')).rejects.toMatchObject(missing);
  });

  test('container is refused with the list of what there is, and nothing is made', async () => {
    const nodes = [{ name: 'COBOL_3', contentType: 'container' }];
    await expect(services.environments.create(as(ADA), 'MEM', environmentManifest({ nodes }))).rejects.toMatchObject({
      code: 'InvalidValue',
      message: expect.stringMatching(/"COBOL_3" is not known here. There is: tomcat, .*php/),
    });
    expect(await names(services.environments.list(ADA))).toEqual([]);
    expect(await services.platform.spaces(as(ADA).signal)).toEqual([]);
  });
});

describe('the platform of an environment', () => {
  test('is the base; else the provider that is configured, in any case; else the default', async () => {
    const at = async (base: string | undefined, provider?: string) =>
      finished(
        await services.environments.create(
          as(ADA),
          base,
          environmentManifest(provider === undefined ? {} : { provider }),
        ),
      ).platform;
    expect(await at('Other', 'MEM')).toBe('Other');
    expect(await at(undefined, 'other')).toBe('Other');
    expect(await at(undefined, 'GAE')).toBe('MEM');
    expect(await at(undefined)).toBe('MEM');
    expect(await services.information(undefined, as(ADA).signal)).toMatchObject({ platform: 'MEM', adapter: 'memory' });
  });
});

describe('an environment', () => {
  test('takes the nearest version with a remark, and its update reaches the platform', async () => {
    const nodes = [{ name: 'tomcat', contentType: 'container', version: '6.0.35' }];
    const made = finished(await services.environments.create(as(ADA), 'MEM', environmentManifest({ nodes })));
    expect(made).toMatchObject({ state: 'CREATED', remarks: ['tomcat 6.0.35 is not offered; tomcat 9 is used.'] });
    const changes = environmentManifest({ name: 'Renamed', variables: { A: 'b' } });
    const updated = finished(await services.environments.update(as(ADA), made.envId, changes));
    expect(updated).toMatchObject({ name: 'Renamed', variables: { A: 'b' }, nodes });
    expect(await services.platform.spaces(as(ADA).signal)).toMatchObject([{ name: 'Renamed', variables: { A: 'b' } }]);
  });

  test('keeps its description when an update is refused', async () => {
    const envId = await makeEnvironment();
    const nodes = [{ name: 'COBOL', contentType: 'container' }];
    const refused = services.environments.update(as(ADA), envId, environmentManifest({ name: 'Other', nodes }));
    await expect(refused).rejects.toMatchObject({ code: 'InvalidValue' });
    expect(await services.environments.describe(ADA, envId)).toMatchObject({ name: 'JavaWebEnv', nodes: [] });
  });
});

describe('the artefact of a deploy', () => {
  const deploy = async (appId: number) =>
    finished(await services.deployments.deploy(as(ADA), { appId, envId: await makeEnvironment() }, NOTHING));
  const located = async (location?: string) =>
    (await services.applications.create(ADA, applicationManifest(['One'], location))).appId;

  test('is missed with the way to send it', async () => {
    const appId = await located('C:\\Users\\sellami\\site.zip');
    const { versions } = await services.applications.describe(ADA, appId);
    expect(versions[0]?.instances[0]?.remarks).toEqual([expect.stringContaining('is not opened here')]);
    await expect(deploy(appId)).rejects.toMatchObject({
      code: 'MissingParameter',
      message: expect.stringContaining('multipart/form-data'),
    });
  });

  test('may lie in the drop folder under its name', async () => {
    await writeFile(join(drop, 'site.zip'), await site('dropped'));
    const { versions } = await deploy(await located('/tmp'));
    expect(versions[0]?.deployables[0]?.artefact).toMatchObject({ name: 'site.zip', type: 'zip' });
  });

  test('may be a stored one of the same tenant, by its bare name', async () => {
    const envId = await makeEnvironment();
    finished(await services.deployments.deploy(as(ADA), { appId: await located(), envId }, await first()));
    const { versions } = await deploy(await located('site.zip'));
    expect(versions[0]?.deployables[0]?.artefact?.name).toBe('site.zip');
    const strange = await services.applications.create(BOB, applicationManifest(['One'], 'site.zip'));
    const place = { appId: strange.appId, envId: await makeEnvironment(BOB) };
    await expect(services.deployments.deploy(as(BOB), place, NOTHING)).rejects.toMatchObject({
      code: 'MissingParameter',
    });
  });

  test('is fetched from its URL by the task, or at once with a version of its own', async () => {
    const bytes = await site('fetched');
    const server = createServer((_request, response) => response.end(bytes)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/site.zip`;
    try {
      const deployed = await deploy(await located(url));
      expect(deployed.versions[0]?.deployables[0]?.artefact?.size).toBe(bytes.length);
      const appId = await located();
      const manifest = applicationManifest(['One'], url);
      const upload: Upload = { present: true, read: async () => ({ manifest }) };
      const version = await services.versions.create(ADA, appId, upload, as(ADA).signal);
      expect(version.deployables[0]?.artefact?.name).toBe('site.zip');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    const upload: Upload = { present: true, read: async () => ({ manifest: applicationManifest(['One'], url) }) };
    const appId = await located();
    await expect(services.versions.create(ADA, appId, upload, as(ADA).signal)).rejects.toMatchObject({
      code: 'InvalidValue',
    });
    expect((await services.applications.describe(ADA, appId)).versions).toHaveLength(1);
  });

  test('that needs an application server is refused where there is none, before anything is made', async () => {
    const ear = await makeZip({ 'META-INF/application.xml': '<application/>', 'web.war': 'x' });
    const appId = await makeApplication();
    const deployEar = async (name: string) => {
      const envId = await makeEnvironment(ADA, { nodes: [{ name, contentType: 'container' }] });
      return services.deployments.deploy(as(ADA), { appId, envId }, uploadOf(services, ear, 'shop.ear'));
    };
    await expect(deployEar('tomcat')).rejects.toMatchObject({
      code: 'NotSupported',
      message: expect.stringContaining('jboss'),
    });
    expect(await services.platform.deployments(as(ADA).signal)).toEqual([]);
    finished(await deployEar('JBOSSAS_7'));
  });
});

describe('a failing application', () => {
  test("is FAILED with the platform's words; deploy of a good version heals it", async () => {
    const envId = await makeEnvironment();
    const appId = await makeApplication();
    finished(await services.deployments.deploy(as(ADA), { appId, envId }, await first()));
    services.platform.trouble.application = 'crash';
    await expect(services.actions.act(as(ADA), appId, 'start')).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('exited with status 1'),
    });
    const key = { appId, versionId: 1, instanceId: 1 };
    const failed = { state: 'FAILED', reason: expect.stringContaining('exited with status 1') };
    expect(await services.instances.describe(ADA, key, true)).toMatchObject(failed);
    expect((await services.environments.describe(ADA, envId)).state).toBe('FAILED');
    delete services.platform.trouble.application;
    finished(await services.instances.act(as(ADA), key, 'restart'));
    const healed = await services.instances.describe(ADA, key);
    expect(healed.state).toBe('STARTED');
    expect(healed).not.toHaveProperty('reason');
  });

  test('whose first deploy failed can be undeployed, which forgets the failure', async () => {
    const envId = await makeEnvironment(ADA, { variables: { MEMORY_TROUBLE: 'staging' } });
    const appId = await makeApplication();
    await expect(services.deployments.deploy(as(ADA), { appId, envId }, await first())).rejects.toMatchObject({
      code: 'Conflict',
    });
    const key = { appId, versionId: 1, instanceId: 1 };
    expect(await services.instances.describe(ADA, key)).toMatchObject({ state: 'FAILED' });
    expect(await services.platform.deployments(as(ADA).signal)).toEqual([]);
    finished(await services.deployments.undeploy(as(ADA), { ...key, envId }));
    expect((await services.instances.describe(ADA, key)).state).toBe('CREATED');
    finished(await services.environments.delete(as(ADA), envId));
  });

  test('among many does not keep the others from starting', async () => {
    const good = await makeEnvironment();
    const appId = (await services.applications.create(ADA, applicationManifest(['One', 'Two']))).appId;
    finished(await services.deployments.deploy(as(ADA), { appId, envId: good }, await first()));
    const [one] = await services.platform.deployments(as(ADA).signal);
    if (!one) throw new Error('There is a deployment');
    await services.platform.delete(one, as(ADA).signal);
    await expect(services.environments.act(as(ADA), good, 'start')).rejects.toMatchObject({
      message: expect.stringMatching(/^1 of 2 failed. start 1.1.1: .*no longer has it/),
    });
    const { versions } = await services.applications.describe(ADA, appId);
    expect(versions[0]?.instances.map((instance) => instance.state)).toEqual(['FAILED', 'STARTED']);
  });
});

async function first(): Promise<Upload> {
  return uploadOf(services, await site('one'), 'site.zip');
}

async function names(listing: Promise<{ items: AsyncIterable<{ name: string }> | Iterable<{ name: string }> }>) {
  const all: string[] = [];
  for await (const { name } of (await listing).items) all.push(name);
  return all;
}
