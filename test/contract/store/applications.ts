import type { Bench } from '../store.js';
import { all, application, artefact, environment } from './rows.js';

const INSTANCE = { name: 'Instance1', processes: 1 };
const VERSION = { deployables: [], instances: [INSTANCE] };

export function applicationCases(bench: Bench): void {
  describe('applications', () => {
    test('are created with all that is nested in them, and read back alike', async () => {
      const created = await bench.store.applications.create(
        application({
          description: 'A clinic',
          environmentName: 'JavaWebEnv',
          multitenant: true,
          versions: [
            {
              name: 'v1',
              label: '1.0',
              description: 'the first',
              deployables: [
                { name: 'docs', contentType: 'folder', location: 'C:\\docs' },
                {
                  name: 'petclinic.war',
                  contentType: 'artifact',
                  multitenancyLevel: 'SharedInstance',
                  artefact: artefact('a'),
                },
              ],
              instances: [
                {
                  name: 'one',
                  processes: 3,
                  description: 'd',
                  initialState: '1',
                  defaultInstance: false,
                  memory: 512,
                  disk: 1024,
                },
                { name: 'two', processes: 1 },
              ],
            },
            VERSION,
          ],
        }),
      );
      expect(created).toMatchObject({ appId: 1, multitenant: true, createdBy: 'alice', environmentName: 'JavaWebEnv' });
      expect(created.versions.map(({ versionId }) => versionId)).toEqual([1, 2]);
      expect(created.versions[0]?.instances).toEqual([
        {
          appId: 1,
          versionId: 1,
          instanceId: 1,
          name: 'one',
          processes: 3,
          description: 'd',
          initialState: '1',
          defaultInstance: false,
          memory: 512,
          disk: 1024,
          state: 'CREATED',
          remarks: [],
        },
        { appId: 1, versionId: 1, instanceId: 2, name: 'two', processes: 1, state: 'CREATED', remarks: [] },
      ]);
      expect(await bench.store.applications.get(1)).toEqual(created);
      expect(await bench.store.applications.get(2)).toBeUndefined();
    });

    test('may share a name', async () => {
      const first = await bench.store.applications.create(application());
      const second = await bench.store.applications.create(application());
      expect(second.appId).not.toBe(first.appId);
    });

    test('change what is given and nothing else', async () => {
      const { appId, ...before } = await bench.store.applications.create(application({ description: 'old' }));
      await bench.store.applications.update(appId, { name: 'new', multitenant: true });
      expect(await bench.store.applications.get(appId)).toEqual({ ...before, appId, name: 'new', multitenant: true });
      await bench.store.applications.update(appId, {});
      await bench.store.applications.update(999, { name: 'nobody' });
      expect((await bench.store.applications.get(appId))?.name).toBe('new');
    });

    test('never get an id twice, also after all were deleted and after a restart', async () => {
      for (let index = 0; index < 3; index++)
        await bench.store.applications.create(application({ versions: [VERSION] }));
      for (const appId of [1, 2, 3]) await bench.store.applications.delete(appId);
      expect(await all(bench.store.applications.list({}))).toEqual([]);
      await bench.store.close();
      expect((await (await bench.open()).applications.create(application())).appId).toBe(4);
    });

    test('versions and instances never get an id twice within their parent', async () => {
      const { applications } = bench.store;
      const { appId } = await applications.create(application({ versions: [VERSION, VERSION] }));
      await applications.deleteVersion(appId, 2);
      await applications.deleteInstance({ appId, versionId: 1, instanceId: 1 });
      expect((await applications.addVersion(appId, VERSION)).versionId).toBe(3);
      expect((await applications.addInstance(appId, 1, INSTANCE)).instanceId).toBe(2);
      const kept = await applications.get(appId);
      expect(
        kept?.versions.map(({ versionId, instances }) => [versionId, instances.map((one) => one.instanceId)]),
      ).toEqual([
        [1, [2]],
        [3, [1]],
      ]);
    });

    test('what is added to something that is gone is NotFound, what is deleted twice is gone', async () => {
      const { applications } = bench.store;
      const { appId } = await applications.create(application());
      const missing = { code: 'NotFound' };
      await expect(applications.addVersion(99, VERSION)).rejects.toMatchObject(missing);
      await expect(applications.addInstance(appId, 9, INSTANCE)).rejects.toMatchObject(missing);
      await expect(applications.setArtefact(appId, 9, artefact('a'))).rejects.toMatchObject(missing);
      await applications.updateInstance({ appId, versionId: 9, instanceId: 9 }, { state: 'STARTED' });
      await applications.delete(appId);
      await applications.delete(appId);
      await applications.deleteVersion(appId, 1);
      expect(await applications.get(appId)).toBeUndefined();
    });

    test('an artefact goes to the first deployable of type artifact, or to a new one', async () => {
      const { applications } = bench.store;
      const folder = { name: 'docs', contentType: 'folder' as const };
      const war = { name: 'a.war', contentType: 'artifact' as const, location: '/srv/a.war' };
      const { appId } = await applications.create(
        application({
          versions: [
            { deployables: [folder, war, { ...war, name: 'b.war' }], instances: [] },
            { deployables: [folder], instances: [] },
          ],
        }),
      );
      await applications.setArtefact(appId, 1, artefact('a'));
      await applications.setArtefact(appId, 1, artefact('b'));
      await applications.setArtefact(appId, 2, artefact('c'));
      const versions = (await applications.get(appId))?.versions;
      expect(versions?.[0]?.deployables).toEqual([
        folder,
        { ...war, artefact: artefact('b') },
        { ...war, name: 'b.war' },
      ]);
      expect(versions?.[1]?.deployables).toEqual([
        folder,
        { name: 'petclinic.war', contentType: 'artifact', artefact: artefact('c') },
      ]);
      expect(await applications.artefactsInUse()).toEqual(new Set([artefact('b').sha256, artefact('c').sha256]));
      await applications.deleteVersion(appId, 2);
      expect(await applications.artefactsInUse()).toEqual(new Set([artefact('b').sha256]));
    });

    test('an instance may be given a number that is free; the next one is counted from there', async () => {
      const { applications } = bench.store;
      const { appId } = await applications.create(application({ versions: [VERSION] }));
      const numbered = {
        deployables: [],
        instances: [
          { ...INSTANCE, instanceId: 3 },
          { ...INSTANCE, instanceId: 5 },
        ],
      };
      const version = await applications.addVersion(appId, numbered);
      expect(version.instances.map(({ instanceId }) => instanceId)).toEqual([3, 5]);
      expect((await applications.addInstance(appId, version.versionId, INSTANCE)).instanceId).toBe(6);
      await applications.deleteInstance({ appId, versionId: version.versionId, instanceId: 5 });
      const again = applications.addInstance(appId, version.versionId, { ...INSTANCE, instanceId: 5 });
      await expect(again).rejects.toMatchObject({ code: 'Conflict' });
      expect((await applications.addInstance(appId, version.versionId, INSTANCE)).instanceId).toBe(7);
    });

    test("an artefact is found by its name: the tenant's newest, never a stranger's", async () => {
      const { applications } = bench.store;
      const holding = (letter: string) => ({
        deployables: [{ name: 'x', contentType: 'artifact' as const, artefact: artefact(letter) }],
        instances: [],
      });
      await applications.create(application({ versions: [holding('a'), holding('b')] }));
      await applications.create(application({ tenant: 'other', multitenant: true, versions: [holding('c')] }));
      expect(await applications.artefactNamed('acme', 'petclinic.war')).toEqual(artefact('b'));
      expect(await applications.artefactNamed('acme', 'x')).toBeUndefined();
      expect(await applications.artefactNamed('nobody', 'petclinic.war')).toBeUndefined();
    });

    test('instances take changes, and null removes', async () => {
      const { applications, environments } = bench.store;
      const { envId } = await environments.create(environment());
      const { appId } = await applications.create(application({ versions: [VERSION] }));
      const key = { appId, versionId: 1, instanceId: 1 };
      const changes = {
        state: 'FAILED' as const,
        reason: 'it crashed',
        processes: 2,
        remarks: ['memory raised'],
        envId,
        uri: 'http://p.example.org',
        ref: 'guid',
        observedAt: '2026-11-21T20:15:00.000Z',
        memory: 512,
        disk: 64,
      };
      await applications.updateInstance(key, changes);
      expect(await applications.deployed()).toEqual([{ ...key, name: 'Instance1', ...changes }]);
      await applications.updateInstance(key, { state: 'CREATED', envId: null, uri: null, ref: null, reason: null });
      await applications.updateInstance(key, { observedAt: null, memory: null, disk: null, remarks: [] });
      expect((await applications.get(appId))?.versions[0]?.instances).toEqual([
        { ...key, name: 'Instance1', state: 'CREATED', processes: 2, remarks: [] },
      ]);
    });

    test('deployed instances are found by environment and by platform', async () => {
      const { applications, environments } = bench.store;
      const one = await environments.create(environment({ platform: 'CF' }));
      const two = await environments.create(environment({ platform: 'OS' }));
      const { appId } = await applications.create(application({ versions: [VERSION, VERSION, VERSION] }));
      await applications.updateInstance({ appId, versionId: 1, instanceId: 1 }, { envId: one.envId });
      await applications.updateInstance({ appId, versionId: 2, instanceId: 1 }, { envId: two.envId });
      const versions = async (filter?: { envId?: number; appIds?: number[] }) =>
        (await applications.deployed(filter)).map(({ versionId }) => versionId);
      expect(await versions()).toEqual([1, 2]);
      expect(await versions({ envId: one.envId })).toEqual([1]);
      expect(await versions({ appIds: [appId + 1, appId] })).toEqual([1, 2]);
      expect(await versions({ appIds: [appId + 1] })).toEqual([]);
      expect((await all(applications.deployedOn('OS'))).map(({ versionId }) => versionId)).toEqual([2]);
      expect(await all(applications.deployedOn('CP'))).toEqual([]);
    });

    test('more of them than are read at a time come all, once and in order', async () => {
      const { applications, environments } = bench.store;
      const { envId } = await environments.create(environment({ platform: 'CF' }));
      const instances = Array.from({ length: 260 }, (_, index) => ({ name: `Instance${index + 1}`, processes: 1 }));
      const many = { ...VERSION, instances };
      const { appId } = await applications.create(application({ versions: [many, many] }));
      const keys = [1, 2].flatMap((versionId) =>
        instances.map((_, index) => ({ appId, versionId, instanceId: index + 1 })),
      );
      await bench.store.transaction(async (session) => {
        for (const key of keys) await session.applications.updateInstance(key, { envId });
      });
      const found = await all(applications.deployedOn('CF'));
      expect(found.map(({ appId, versionId, instanceId }) => ({ appId, versionId, instanceId }))).toEqual(keys);
    });
  });
}
