import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Upload } from '../../src/domain/views.js';
import { makeZip } from '../contract/archive.js';
import { ADA, applicationManifest, as, BOB, finished, NOTHING, site, uploadOf } from '../support/services.js';
import { useServices } from './bench.js';

const drop = mkdtempSync(join(tmpdir(), 'drop-'));
afterAll(() => rmSync(drop, { recursive: true }));
const bench = useServices(() => ({ dropFolder: drop }));

describe('the artefact of a deploy', () => {
  const deploy = async (appId: number) =>
    finished(await bench.services.deployments.deploy(as(ADA), { appId, envId: await bench.environment() }, NOTHING));
  const located = async (location?: string) =>
    (await bench.services.applications.create(ADA, applicationManifest(['One'], location))).appId;

  test('is missed with the way to send it', async () => {
    const appId = await located('C:\\Users\\sellami\\site.zip');
    const { versions } = await bench.services.applications.describe(ADA, appId);
    expect(versions[0]?.instances[0]?.remarks).toEqual([expect.stringContaining('is not opened here')]);
    await expect(deploy(appId)).rejects.toMatchObject({
      code: 'MissingParameter',
      message: expect.stringContaining('multipart/form-data'),
    });
  });

  test('may lie in the drop folder under its name', async () => {
    await writeFile(join(drop, 'site.zip'), await site('dropped'));
    try {
      const { versions } = await deploy(await located('/tmp'));
      expect(versions[0]?.deployables[0]?.artefact).toMatchObject({ name: 'site.zip', type: 'zip' });
    } finally {
      rmSync(join(drop, 'site.zip'));
    }
  });

  test('may be a stored one of the same tenant, by its bare name', async () => {
    const envId = await bench.environment();
    finished(await bench.services.deployments.deploy(as(ADA), { appId: await located(), envId }, await bench.first()));
    const { versions } = await deploy(await located('site.zip'));
    expect(versions[0]?.deployables[0]?.artefact?.name).toBe('site.zip');
    const strange = await bench.services.applications.create(BOB, applicationManifest(['One'], 'site.zip'));
    const place = { appId: strange.appId, envId: await bench.environment(BOB) };
    await expect(bench.services.deployments.deploy(as(BOB), place, NOTHING)).rejects.toMatchObject({
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
      const version = await bench.services.versions.create(ADA, appId, upload, as(ADA).signal);
      expect(version.deployables[0]?.artefact?.name).toBe('site.zip');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    const upload: Upload = { present: true, read: async () => ({ manifest: applicationManifest(['One'], url) }) };
    const appId = await located();
    await expect(bench.services.versions.create(ADA, appId, upload, as(ADA).signal)).rejects.toMatchObject({
      code: 'InvalidValue',
    });
    expect((await bench.services.applications.describe(ADA, appId)).versions).toHaveLength(1);
  });

  test('that needs an application server is refused where there is none, before anything is made', async () => {
    const ear = await makeZip({ 'META-INF/application.xml': '<application/>', 'web.war': 'x' });
    const appId = await bench.application();
    const deployEar = async (name: string) => {
      const envId = await bench.environment(ADA, { nodes: [{ name, contentType: 'container' }] });
      return bench.services.deployments.deploy(as(ADA), { appId, envId }, uploadOf(bench.services, ear, 'shop.ear'));
    };
    await expect(deployEar('tomcat')).rejects.toMatchObject({
      code: 'NotSupported',
      message: expect.stringContaining('jboss'),
    });
    expect(await bench.services.platform.deployments(as(ADA).signal)).toEqual([]);
    finished(await deployEar('JBOSSAS_7'));
  });
});
